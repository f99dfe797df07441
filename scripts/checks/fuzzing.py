# SPDX-License-Identifier: Apache-2.0
"""Fuzzers. In check each one walks a fixed way, so that check says the same of the same code
on every machine: a number of runs in place of a time, one seed, the committed inputs by name in
their order (a directory's order is the file system's), and no traces of comparisons, which
put addresses into the dictionary. Time is only a second line, for machines that are slow.

In soak they explore: for a time, with another seed each time, and keep what they find."""

import base64
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import failures, results
from .runner import Counts, Job, failed

# In thousands. About 10 s each under the sanitizers, a minute for the parsers that a host or
# a line of its own reaches first.
RUNS = {
    "fuzz_at_grammar": 150,
    "fuzz_at_line": 120,
    "fuzz_at_session": 30,
    "fuzz_cbor": 500,
    "fuzz_cmux": 240,
    "fuzz_device_answer": 500,
    "fuzz_device_request": 500,
    "fuzz_host": 120,
    "fuzz_journal": 60,
    "fuzz_module_session": 40,
    "fuzz_package_request": 1000,
    "fuzz_rehearsal_file": 600,
    "fuzz_rfc2217": 150,
    "fuzz_session": 6,
    "fuzz_suit_commands": 120,
    "fuzz_suit_diag": 60,
    "fuzz_suit_envelope": 400,
    "fuzz_suit_manifest": 300,
    "fuzz_trust": 20,
}
RUNS_OTHER = 20
BOUND_S = 300
SOAK_S = {"fuzz_at_line": 3600, "fuzz_at_session": 3600, "fuzz_cmux": 3600}
SOAK_OTHER_S = 600
# A machine that stands still for a while is no finding.
UNIT_TIMEOUT_S = 60
INPUT_SHOWN_MAX = 8000  # characters of base64
# Sanitizer reports end the program that they are about.
SANITIZER_ENV = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=1",
                 "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99"}

DONE = re.compile(r"^Done (\d+) runs in \d+ second")
WRITTEN = re.compile(r"Test unit written to (\S+)")


def programs_of(build):
    return sorted(path for path in build.rglob("fuzz_*")
                  if path.is_file() and os.access(path, os.X_OK) and not path.suffix)


@dataclass
class Plan:
    words: list
    seconds: int
    runs: int = 0  # 0: as many as the time allows


def walk(program, corpus, folder):
    """The fixed way."""
    runs = RUNS.get(program.name, RUNS_OTHER) * 1000
    inputs = folder / f"{program.name}.inputs"
    inputs.write_text(",".join(str(path) for path in sorted(corpus.iterdir())))
    words = ["-seed=1", f"-runs={runs}", "-use_cmp=0", f"-seed_inputs=@{inputs}"]
    return Plan(words, BOUND_S, runs)


def explore(program, corpus, folder):
    found = folder / "fuzz" / program.name
    found.mkdir(parents=True, exist_ok=True)
    return Plan(["-seed=0", found, corpus], SOAK_S.get(program.name, SOAK_OTHER_S))


def _input_of(lines):
    """The input that was written, in base64; libFuzzer itself shows short ones only."""
    path = next((Path(match.group(1)) for line in lines if (match := WRITTEN.search(line))), None)
    if path is None or not path.is_file():
        return []
    text = base64.b64encode(path.read_bytes()).decode()
    return [f"input in base64: {text}" if len(text) <= INPUT_SHOWN_MAX else f"input: {path}"]


def _complaints(lines, status):
    return [f"exit status {status}", *_input_of(lines), *failures.telling(lines)]


def _judge(job, name, plan, status, lines):
    """Counts of one fuzzer, from how it ended and what it said."""
    done = next((int(match.group(1)) for line in lines if (match := DONE.match(line))), 0)
    job.log(f"{name}: exit status {status}, {done} runs")
    if status:
        return failed(name, _complaints(lines, status))
    if not done:
        return failed(name, ["says nothing of its runs: was it built with clang?"])
    if done < plan.runs:
        job.notes.append(f"{name} got through {done} of {plan.runs} runs in {plan.seconds} s")
        job.log(job.notes[-1])
    return Counts(passed=1)


def _fuzz(job, program, make_plan):
    corpus = job.root / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_")
    if not corpus.is_dir() or not any(corpus.iterdir()):
        return results.of_rule(job, program.name, [f"no corpus in {corpus.relative_to(job.root)}"])
    part = Job(job.root, job.folder, program.name)
    artifacts = job.folder / "fuzz" / f"{program.name}-"
    artifacts.parent.mkdir(parents=True, exist_ok=True)
    plan = make_plan(program, corpus, job.folder)
    words = [program, f"-max_total_time={plan.seconds}", f"-timeout={UNIT_TIMEOUT_S}", "-print_final_stats=1",
             f"-artifact_prefix={artifacts}", *plan.words]
    status = part.run(words, limit_s=plan.seconds + 2 * UNIT_TIMEOUT_S, **SANITIZER_ENV)
    return _judge(job, program.name, plan, status, part.lines())


def run(job, build, shards, is_soak):
    """Counts of all fuzzers below a build directory."""
    make_plan = explore if is_soak else walk
    counts = Counts()
    with ThreadPoolExecutor(shards) as pool:
        for done in pool.map(lambda program: _fuzz(job, program, make_plan), programs_of(job.root / build)):
            counts.add(done)
    return counts
