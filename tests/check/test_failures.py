# SPDX-License-Identifier: Apache-2.0
"""Who sees only the last 24 lines of `make check` must see what failed."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from checks import failures, fuzzing, results, runner  # noqa: E402

SEEN = 24  # lines, of which make itself writes one


def end_of(tmp_path, **parts):
    """The last lines of a run in which `parts` are followed by much other output."""
    said = []

    def says_much(job):
        job.notes = [f"note {i}" for i in range(5)]
        return runner.Counts(passed=1, skipped=[f"skip {i}: reason" for i in range(30)])

    status = runner.run_all(tmp_path, tmp_path / "logs", {**parts, "much": says_much}, said.append)
    lines = "\n".join(said).splitlines()[-(SEEN - 1):]
    assert status == 1 and " failed, " in lines[-1]
    return "\n".join(lines)


def test_a_failed_command_is_named_with_its_errors(tmp_path):
    script = "echo first; echo 'x.c:3: error: no such thing' >&2; seq 100; exit 3"
    end = end_of(tmp_path, build=lambda job: job.command(["sh", "-c", script], "ninja"))
    assert "FAILED build: ninja: exit status 3 (logs/build.log)" in end
    assert "x.c:3: error: no such thing" in end


def test_a_failed_test_of_pytest_is_named(tmp_path):
    (tmp_path / "test_x.py").write_text("def test_a(): pass\ndef test_b():\n    assert 1 == 2\n")

    def part(job):
        job.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=x.xml", "test_x.py"])
        return results.of_pytest(tmp_path / "x.xml")

    end = end_of(tmp_path, e2e=part)
    assert "FAILED e2e: test_x::test_b" in end and "assert 1 == 2" in end


def test_a_failed_program_of_meson_is_named_with_its_case(tmp_path):
    log = tmp_path / "testlog.json"
    said = "[       OK ] a_case\n[  ERROR   ] --- x.c:7: error: Failure!\n[  FAILED  ] another_case\n[  FAILED  ] 1 test(s)"
    log.write_text(json.dumps({"name": "core - record", "result": "FAIL", "stdout": said}))
    end = end_of(tmp_path, unit=lambda job: results.of_meson(log))
    assert "FAILED unit: core - record: FAIL" in end and "x.c:7" in end and "another_case" in end


def test_a_broken_rule_is_named_with_its_complaint(tmp_path):
    end = end_of(tmp_path, rules=lambda job: results.of_rule(job, "licence_lines", ["a.c:1: the first line"]))
    assert "FAILED rules: licence_lines" in end and "a.c:1: the first line" in end


def test_a_part_that_breaks_or_runs_nothing_is_named(tmp_path):
    end = end_of(tmp_path, size=lambda job: 1 // 0, run=lambda job: runner.Counts())
    assert "FAILED size: ZeroDivisionError" in end and "FAILED run: this part ran no check" in end


def test_a_failure_without_a_name_is_told_by_the_log(tmp_path):
    def part(job):
        job.log("something: Error: told only here")
        return runner.Counts(failed=1)

    assert "told only here" in end_of(tmp_path, odd=part)


@pytest.mark.parametrize("count", [1, 2, 5, 19, 20, 21, 200])
def test_what_is_told_is_bounded_and_names_as_many_as_fit(count):
    lines = failures.told([failures.Failure(f"number {i}", ["detail"] * 50) for i in range(count)])
    assert len(lines) <= failures.LINES_MAX
    assert sum(line.startswith("FAILED") for line in lines) == (count if count <= 20 else 19)
    assert ("more" in lines[-1]) == (count > 20)
    assert count > 5 or "  detail" in lines


# ---- fuzzers ----

DONE = "echo 'Done 5 runs in 0 second(s)' >&2"


@pytest.fixture
def fuzz(tmp_path):
    """Runs the part over one fuzzer, which is a shell script; $ARTIFACT is its prefix."""
    corpus = tmp_path / "tests/fuzz/corpus/x"
    corpus.mkdir(parents=True)
    for name in "cab":
        (corpus / name).write_text(name)

    def run(script, is_soak=False):
        program = tmp_path / "build/tests/fuzz/fuzz_x"
        program.parent.mkdir(parents=True, exist_ok=True)
        prefix = 'for word; do case $word in -artifact_prefix=*) ARTIFACT=${word#*=};; esac; done; echo "$@"\n'
        program.write_text("#!/bin/sh\n" + prefix + script + "\n")
        program.chmod(0o755)
        return lambda job: fuzzing.run(job, "build", 2, is_soak)
    return run


def words_of(tmp_path):
    return (tmp_path / "logs/fuzz_x.log").read_text().splitlines()[1].split()


def test_a_finding_comes_with_its_input_whatever_its_size(tmp_path, fuzz):
    found = bytes(range(256)) * 4
    (tmp_path / "found").write_bytes(found)
    end = end_of(tmp_path, fuzz=fuzz(f"""
        seq 1000 >&2
        echo 'property broken: what is programmed was erased' >&2
        cp {tmp_path}/found "$ARTIFACT"crash-1
        echo 'SUMMARY: libFuzzer: deadly signal' >&2
        echo "artifact_prefix='$ARTIFACT'; Test unit written to $ARTIFACT"crash-1 >&2
        seq 50 >&2
        exit 77"""))
    assert "FAILED fuzz: fuzz_x" in end and "exit status 77" in end
    assert "property broken: what is programmed was erased" in end and "SUMMARY: libFuzzer" in end
    assert base64.b64encode(found).decode() in end


def test_check_walks_the_same_way_on_every_machine(tmp_path, fuzz, monkeypatch):
    monkeypatch.setitem(fuzzing.RUNS, "fuzz_x", 7)
    job = runner.Job(tmp_path, tmp_path / "logs", "fuzz")
    assert fuzz("echo 'Done 7000 runs in 0 second(s)'")(job).line() == "1 passed, 0 failed, 0 skipped"
    words = words_of(tmp_path)
    assert {"-seed=1", "-runs=7000", "-use_cmp=0", "-timeout=60"} <= set(words)
    assert not [word for word in words if not word.startswith("-")]  # no directory: its order is not ours
    inputs = next(word for word in words if word.startswith("-seed_inputs=@")).partition("@")[2]
    names = [Path(path).name for path in Path(inputs).read_text().split(",")]
    assert names == ["a", "b", "c"] and not job.notes


def test_soak_explores(tmp_path, fuzz):
    job = runner.Job(tmp_path, tmp_path / "logs", "fuzz")
    assert fuzz(DONE, is_soak=True)(job).passed == 1
    words = words_of(tmp_path)
    assert "-seed=0" in words and "-use_cmp=0" not in words and str(tmp_path / "tests/fuzz/corpus/x") in words


def test_a_slow_machine_is_no_failure_but_is_said(tmp_path, fuzz):
    job = runner.Job(tmp_path, tmp_path / "logs", "fuzz")
    counts = fuzz(DONE)(job)
    assert (counts.passed, counts.failed) == (1, 0)
    assert job.notes == ["fuzz_x got through 5 of 20000 runs in 300 s"]


@pytest.mark.parametrize("script,complaint", [
    ("exit 0", "says nothing of its runs"),
    ("echo 'Done 0 runs in 0 second(s)'", "says nothing of its runs"),
    (DONE + "; exit 1", "exit status 1"),
])
def test_a_fuzzer_that_did_nothing_fails(tmp_path, fuzz, script, complaint):
    assert complaint in end_of(tmp_path, fuzz=fuzz(script))


def test_a_fuzzer_without_inputs_fails(tmp_path, fuzz):
    for path in (tmp_path / "tests/fuzz/corpus/x").iterdir():
        path.unlink()
    assert "no corpus in tests/fuzz/corpus/x" in end_of(tmp_path, fuzz=fuzz(DONE))


def test_the_walk_of_a_real_fuzzer_does_not_depend_on_addresses(tmp_path):
    """libFuzzer's own options do what they are used for."""
    source = tmp_path / "f.c"
    source.write_text("""#include <stdint.h>
#include <stddef.h>
#include <string.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
\tstatic volatile unsigned hits;
\tuint64_t word = 0;
\tif (len >= 8) { memcpy(&word, data, 8); }
\tif (word == (uint64_t)(uintptr_t)&hits) { hits++; }
\treturn 0;
}
""")
    program = tmp_path / "fuzz_f"
    subprocess.run(["clang", "-g", "-fsanitize=fuzzer,address", source, "-o", program], check=True)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "one").write_bytes(b"abc")
    ways = set()
    for _ in range(2):
        plan = fuzzing.walk(program, corpus, tmp_path)
        done = subprocess.run([program, *plan.words], capture_output=True, text=True, check=True)
        lines = [line for line in done.stderr.splitlines() if line.startswith("#")]
        ways.add(re.sub(r"exec/s: \d+ rss: \d+Mb", "", "\n".join(lines)))
    assert len(ways) == 1
