# SPDX-License-Identifier: Apache-2.0
"""The conformance check can fail."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from checks import conformance  # noqa: E402

ITEMS = conformance.items_of("# comment\n## Echo\n001 | V 1 | first\n002 |  | second\n")
GOOD = "1..3\nok 1 - v250_001_a_b\nok 2 - v250_002_c\nok 3 - other\n"
WAYS = "v250_001_a_b CR, CR LF, LF\n"


def test_items_that_are_all_proven_are_no_complaint():
    assert conformance.unproven(ITEMS, conformance.results_of(GOOD, WAYS)) == []


def test_an_item_without_a_test_is_a_complaint():
    results = conformance.results_of(GOOD.replace("v250_002", "v250_001"), WAYS)
    assert conformance.unproven(ITEMS, results) == ["item 002 has no test"]
    assert "no test" in conformance.report(ITEMS, results)


def test_a_failed_test_is_a_complaint():
    results = conformance.results_of(GOOD.replace("ok 1", "not ok 1"), WAYS)
    assert conformance.unproven(ITEMS, results) == ["v250_001_a_b failed"]
    assert "FAIL" in conformance.report(ITEMS, results)


def test_a_test_of_no_item_is_a_complaint():
    results = conformance.results_of(GOOD + "ok 4 - v250_121_x\n", WAYS)
    assert conformance.unproven(ITEMS, results) == ["v250_121_x: no such item"]


def test_a_program_that_printed_nothing_proves_nothing():
    assert len(conformance.unproven(ITEMS, conformance.results_of("", ""))) == 2


def test_the_page_must_be_current(tmp_path):
    text = conformance.report(ITEMS, conformance.results_of(GOOD, WAYS))
    assert conformance.outdated(tmp_path, text)
    (tmp_path / "docs").mkdir()
    (tmp_path / conformance.PAGE).write_text(text)
    assert conformance.outdated(tmp_path, text) == []
    assert conformance.outdated(tmp_path, text.replace("pass", "FAIL"))
