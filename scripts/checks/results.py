# SPDX-License-Identifier: Apache-2.0
"""Counts out of what test programs leave behind."""

import json
import re
import xml.etree.ElementTree

from . import failures
from .failures import Failure
from .runner import Counts, failed

CMOCKA = re.compile(r"\[  (PASSED|FAILED|SKIPPED)\s*\] +(\d+) test\(s\)")


def of_rule(job, name, complaints):
    """One check of ours: passed if it found nothing."""
    job.log(f"{name}: {'ok' if not complaints else f'{len(complaints)} complaints'}")
    for text in complaints:
        job.log(f"  {text}")
    return failed(name, complaints) if complaints else Counts(passed=1)


def _complaint(case):
    """The element that says why a case failed; an element without children is false."""
    failure = case.find("failure")
    return case.find("error") if failure is None else failure


def of_pytest(path):
    """Counts of a JUnit file of pytest; a missing file is a failure."""
    if not path.is_file():
        return failed(f"pytest left no {path.name}")
    counts = Counts()
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if skipped is not None:
            counts.skipped.append(f"{name}: {skipped.get('message')}")
        elif (found := _complaint(case)) is not None:
            counts.add(failed(name, failures.telling((found.get("message") or "").splitlines())))
        else:
            counts.passed += 1
    return counts


def of_meson(path):
    """Counts of meson's testlog.json: the cases inside a cmocka program one by one,
    any other program as one."""
    counts = Counts()
    if not path.is_file():
        return failed(f"meson left no {path.name}")
    for line in path.read_text().splitlines():
        counts.add(_of_program(json.loads(line)))
    return counts


def _of_program(test):
    if test["result"] == "SKIP":
        return Counts(skipped=[f"{test['name']}: exit status 77, see the log"])
    cases = Counts()
    said = test.get("stdout", "") + test.get("stderr", "")
    for kind, number in CMOCKA.findall(said):
        if kind == "PASSED":
            cases.passed += int(number)
        elif kind == "FAILED":
            cases.failed += int(number)
        else:
            cases.skipped += [f"{test['name']}: a case skips itself"] * int(number)
    if test["result"] not in ("OK", "EXPECTEDFAIL"):
        cases.failed = max(1, cases.failed)
        cases.failures = [Failure(f"{test['name']}: {test['result']}", failures.telling(said.splitlines()))]
    elif not cases.passed and not cases.skipped:
        cases.passed = 1
    return cases
