# SPDX-License-Identifier: Apache-2.0
"""docs/at-conformance.md: which items of V.250 and TS 27.007 are proven by which tests.

A test proves the item whose number is in its name (v250_011_...). Results and the ways
in which a case is fed come from the test programs themselves."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ITEMS = "tests/unit/at/v250-items.txt"
PAGE = "docs/at-conformance.md"
TABLE = "test_at_v250"  # tells how it feeds
PROGRAMS = (TABLE, "test_at_order", "test_at_urc", "test_at_commands", "test_at_fota", "test_at_property")
NAME = re.compile(r"^v250_(\d{3})_(\w+)$")
TAP = re.compile(r"^(ok|not ok) \d+ - (\w+)")


@dataclass
class Item:
    number: int
    clause: str
    text: str
    heading: str


@dataclass
class Results:
    passed: dict = field(default_factory=dict)  # name of a test: whether it passed
    ways: dict = field(default_factory=dict)    # name of a test: line ends with which it is fed


def items_of(text):
    """The items of v250-items.txt, in order."""
    found, heading = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line and not line.startswith("#"):
            number, clause, words = (part.strip() for part in line.split("|", 2))
            found.append(Item(int(number), clause, words, heading))
    return found


def _output(words, **env):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, **env))
    return done.stdout + done.stderr


def results_of(tap, ways):
    """Results from the programs' outputs."""
    results = Results()
    for line in tap.splitlines():
        match = TAP.match(line)
        if match:
            results.passed[match.group(2)] = match.group(1) == "ok"
    for line in ways.splitlines():
        name, _, text = line.partition(" ")
        results.ways[name] = text
    return results


def run_tests(build):
    folder = Path(build) / "tests/unit/at"
    taps = [_output([folder / name], CMOCKA_MESSAGE_OUTPUT="TAP") for name in PROGRAMS]
    return results_of("\n".join(taps), _output([folder / TABLE, "ways"]))


def _tests_of(item, results):
    return [name for name in results.passed if (match := NAME.match(name)) and int(match.group(1)) == item.number]


def unproven(items, results):
    """Items without a test, failed tests, and tests of items that there are not."""
    numbers = {item.number for item in items}
    found = [f"item {item.number:03d} has no test" for item in items if not _tests_of(item, results)]
    found += [f"{name} failed" for name, is_passed in results.passed.items() if not is_passed]
    return found + [f"{name}: no such item" for name in results.passed
                    if (match := NAME.match(name)) and int(match.group(1)) not in numbers]


def _row(item, results):
    tests = _tests_of(item, results)
    is_passed = tests and all(results.passed[name] for name in tests)
    ends = [results.ways[name] for name in tests if name in results.ways]
    fed = max(ends, key=len) if ends else "in time"
    names = ", ".join(NAME.match(name).group(2).replace("_", " ") for name in tests)
    verdict = "pass" if is_passed else "FAIL" if tests else "no test"
    return f"| {item.number:03d} | {item.clause} | {item.text} | {names} | {fed} | {verdict} |"


def report(items, results):
    """The page."""
    lines = [
        "# Conformance of the AT server", "",
        "Items of ITU-T V.250 (V) and 3GPP TS 27.007 (27) and the tests that prove them, made by `scripts/conformance` from",
        "the results of the tests; `make check` fails if an item has no test, a test fails or this page is not current.", "",
        "Tests are in `tests/unit/at`, named after their item (`v250_011_...`). Fed: the line ends with which a case runs, each",
        "whole, byte by byte with pauses, and split at each position; LF is S3 = 10. \"In time\" are tests about time, several",
        "ports and unsolicited results.",
    ]
    heading = None
    for item in items:
        if item.heading != heading:
            heading = item.heading
            lines += ["", f"## {heading}", "", "| item | clause | what | shown by | fed | result |",
                      "| --- | --- | --- | --- | --- | --- |"]
        lines.append(_row(item, results))
    proven = sum(1 for item in items if _row(item, results).endswith("| pass |"))
    return "\n".join(lines + ["", f"{proven} of {len(items)} items pass.", ""])


def outdated(root, text):
    page = Path(root) / PAGE
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return []
    return [f"{PAGE} is not current: run scripts/conformance BUILD --write"]
