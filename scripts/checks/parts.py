# SPDX-License-Identifier: Apache-2.0
"""The parts of `make check`, in the order in which they run."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from . import conformance, footprint, fuzzing, results, rules
from .fuzzing import SANITIZER_ENV
from .runner import Counts, Job, failed

PYTHON = "/usr/bin/python3"
SANITIZED = "build/check-asan"
RELEASE = "build/check-gcc"
SOAK = os.environ.get("SOAK", "") not in ("", "0")
CORES = 2
E2E_SHARDS = 3  # more than cores: whole programs mostly wait for each other


def _rules(job):
    counts = Counts()
    for rule in (rules.core_includes, rules.machine_paths, rules.licence_lines, rules.functions):
        counts.add(results.of_rule(job, rule.__name__, rule(job.root)))
    counts.add(_pytest(job, "rules", ["tests/check"]))
    return counts


def _format(job):
    return results.of_rule(job, "formatted", rules.formatted(job.root))


BUILDS = {
    RELEASE: ("gcc", "--buildtype=release"),
    "build/check-clang": ("clang",),
    SANITIZED: ("clang", "-Db_sanitize=address,undefined", "-Db_lundef=false"),
}


def _build(job, folder):
    """Sets a build directory up once and builds all of it."""
    compiler, *options = BUILDS[folder]
    if not (job.root / folder / "build.ninja").is_file():
        counts = job.command(["meson", "setup", folder, *options], CC=compiler)
        if counts.failed:
            return counts
    return job.command(["ninja", "-C", folder], limit_s=900)


def _builder(folder):
    return lambda job: _build(job, folder)


def _built(folder, part):
    """The part, if what it needs can be built."""
    def run(job):
        counts = _build(job, folder)
        return counts if counts.failed else part(job)
    return run


def _core(job):
    """The library by one call of a compiler over its list, on the host and for a
    microcontroller."""
    names = (job.root / "core/sources.txt").read_text().split()
    counts = Counts()
    for compiler in ("gcc", "clang"):
        out = job.root / "build/check-core" / compiler
        out.mkdir(parents=True, exist_ok=True)
        words = ["env", "-C", out, compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{job.root}/core/include",
                 f"-I{job.root}/core", "-c", *(job.root / name for name in names)]
        counts.add(job.command(words, f"core with {compiler}"))

    def say(text):
        job.notes.append(text)
        job.log(text)

    host = ["host/fota_host.c", "-o", job.root / "build/check-core/arm-host.o"]
    counts.add(job.command([*rules.ARM, *host], "host/ for arm"))
    counts.add(results.of_rule(job, "core_on_arm",
                               rules.core_on_arm(job.root, job.root / "build/check-core/arm", say)))
    return counts


def _size(job):
    """What core costs on a microcontroller is within its limits, and the page says it."""
    measured = footprint.measure(job.root, job.root / "build/check-core/size")
    counts = results.of_rule(job, "limits", footprint.broken_limits(measured))
    counts.add(results.of_rule(job, "page", footprint.outdated(job.root, footprint.report(measured))))
    return counts


def _meson_test(job, folder, name, *options, **env):
    logs = job.root / folder / "meson-logs"
    for old in logs.glob(f"{name}*"):
        old.unlink()
    status = job.run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--logbase", name, *options],
                     limit_s=900, **env)
    # with a wrapper, meson adds its name
    counts = results.of_meson(next(logs.glob(f"{name}*.json"), logs / "none"))
    if status and not counts.failed:
        counts.add(failed(f"meson test: exit status {status}"))
    return counts


def _unit(job):
    return _meson_test(job, SANITIZED, "unit", **SANITIZER_ENV)


def _power(job):
    """Lives with all pairs of cuts, and a long walk; the unit tests have a sample of both."""
    counts = Counts()
    for name, env in (("test_power_cuts", {"POWER_ALL": "1"}),
                      ("test_power_walk", {"WALK_S": "1800", "WALK_SEED": str(int(time.time()))})):
        counts.add(job.command([job.root / RELEASE / "tests/power" / name], limit_s=7200, **env))
    return counts


def _conformance(job):
    """Each item of the checklist is proven, and the page says it."""
    items = conformance.items_of((job.root / conformance.ITEMS).read_text(encoding="utf-8"))
    results_ = conformance.run_tests(job.root / SANITIZED)
    counts = results.of_rule(job, "items", conformance.unproven(items, results_))
    counts.add(results.of_rule(job, "page", conformance.outdated(job.root, conformance.report(items, results_))))
    return counts


def _valgrind(job):
    wrap = "valgrind --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible -q"
    suites = [word for suite in ("core", "at", "mux", "session") for word in ("--suite", suite)]
    return _meson_test(job, RELEASE, "valgrind", f"--wrap={wrap}", "--timeout-multiplier=10", *suites)


def _fuzz(job):
    return fuzzing.run(job, SANITIZED, CORES, SOAK)


def _pytest(job, name, words, **env):
    report = job.folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    status = job.run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-ra",
                      "--durations=10", *words], limit_s=1500, **env)
    counts = results.of_pytest(report)
    if status not in (0, 1) or (status and not counts.failed):
        counts.add(failed(f"pytest {' '.join(words)}: exit status {status}"))
    return counts


def _e2e(job):
    """All of them in shards side by side (most of their time is waiting); then the test
    that sums up which result codes they caused."""
    seen = job.folder / "seen-codes"
    shutil.rmtree(seen, ignore_errors=True)
    seen.mkdir()
    env = {"ATFOTA_BUILD": SANITIZED, "ATFOTA_SEEN_CODES": str(seen)}

    def shard(number):
        part = Job(job.root, job.folder, f"e2e-{number}")
        counts = _pytest(part, f"e2e-{number}", ["tests/e2e", "-m", "not last"],
                         ATFOTA_SHARD=f"{number}/{E2E_SHARDS}", **env)
        return counts, part

    total = Counts()
    with ThreadPoolExecutor(E2E_SHARDS) as pool:
        for counts, part in pool.map(shard, range(E2E_SHARDS)):
            total.add(counts)
            job.log(f"shard in {part.log_path.name}: {counts.line()}")
            if counts.failed:
                job.log("\n".join(part.tail()))
    total.add(_pytest(job, "e2e-last", ["tests/e2e/test_last.py", "-m", "last"], **env))
    return total


def _e2e_release(job):
    return _pytest(job, "e2e-release", ["tests/e2e", "-m", "release"], ATFOTA_BUILD=RELEASE)


def _docs(job):
    """Each option of each program is in its manual page."""
    counts = Counts()
    for name, program in (("atfotad", "module/atfotad"), ("atfota-cloud", "cloud/atfota-cloud"),
                          ("atfota", "tool/atfota")):
        page = next((job.root / "docs").rglob(f"{name}.[1-8]"), None)
        if page is None:
            counts.skipped.append(f"docs: {name} has no manual page below docs/ yet")
            continue
        done = subprocess.run([job.root / RELEASE / program, "--help"], capture_output=True, text=True, timeout=10)
        counts.add(results.of_rule(job, name, rules.options_described(done.stdout, page.read_text())))
    counts.add(_pytest(job, "tutorial", ["tests/docs"]))
    return counts


def _run(job):
    """The newcomer's first command."""
    return job.command(["make", "run", "ONCE=1"], limit_s=300)


PARTS = {
    "format": (_format, "clang-format over all C files"),
    "rules": (_rules, "includes of core, machine paths, licence lines, functions; and the tests of these checks"),
    "core": (_core, "core by one compiler call: gcc, clang, arm-none-eabi with sizes"),
    "size": (_size, "code, RAM and stack of core on a Cortex-M3 against their limits and docs/FOOTPRINT.md"),
    "gcc": (_builder(RELEASE), "release build with gcc"),
    "clang": (_builder("build/check-clang"), "build with clang"),
    "asan": (_builder(SANITIZED), "build with ASan and UBSan"),
    "unit": (_built(SANITIZED, _unit), "unit tests under ASan and UBSan"),
    "conformance": (_built(SANITIZED, _conformance), "every item of V.250 has a test; docs/at-conformance.md is current"),
    "valgrind": (_built(RELEASE, _valgrind), "unit tests of core under valgrind"),
    "fuzz": (_built(SANITIZED, _fuzz), "each fuzzer for a fixed number of runs; for a time with SOAK=1"),
    "e2e": (_built(SANITIZED, _e2e), "whole programs under ASan and UBSan"),
    "e2e-release": (_built(RELEASE, _e2e_release), "a part of them with the release build"),
    "docs": (_built(RELEASE, _docs), "manual pages against --help, and the tutorial's commands"),
    "run": (_run, "make run ONCE=1"),
}
if SOAK:
    PARTS["power"] = (_built(RELEASE, _power), "power goes at all pairs of operations of whole lives; a long walk")


def missing_tools():
    """Programs that the parts need and this machine has not."""
    needed = ("meson", "ninja", "gcc", "clang", "clang-format", "arm-none-eabi-gcc", "valgrind", "git", "make", "curl")
    return [name for name in needed if not shutil.which(name)] + ([] if sys.version_info >= (3, 11) else ["python 3.11"])
