# SPDX-License-Identifier: Apache-2.0
"""The manual page says what the program does."""

import re
from pathlib import Path

import pytest

from lib.codes import CODES
from lib.tool import Tool

PAGE = Path(__file__).resolve().parents[2] / "docs/atfota.1"
MADE = re.compile(r'^\.\\" Made by .*?\n(.*)^\.\\" End of ', re.MULTILINE | re.DOTALL)


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path)


def test_the_made_sections_are_those_that_the_program_makes(tool):
    made = MADE.search(PAGE.read_text())[1]
    assert made == tool.ok("codes", "--man").out, "paste the output of 'atfota codes --man' into docs/atfota.1"


def test_the_codes_are_those_of_the_header(tool):
    shown = {row["code"]: (row["class"], row["text"]) for row in tool.ok("codes", "--json").json}
    assert shown == {number: (kind, text) for number, (_, kind, text) in CODES.items()}
    assert all(text in tool.ok("codes").out for _, text in shown.values())


def options_of(tool, *path):
    """Long options of a command and all below it, from --help."""
    out = tool.ok(*path, "--help").out
    if "COMMAND ..." not in out:
        return set(re.findall(r"--([a-z-]+)", out.split("Exit status:")[0])) - {"help", "usage"}
    names = re.findall(r"^  ([a-z-]+) +[A-Z]", out.split("Exit status:")[0], re.MULTILINE)
    return set().union(*(options_of(tool, *path, name) for name in names))


def test_every_option_is_in_the_page(tool):
    page = PAGE.read_text().replace("\\-", "-")
    options = options_of(tool)
    assert len(options) > 20
    assert not [option for option in options if f"--{option}" not in page]


def test_one_code_is_told_alone(tool):
    said = tool.ok("codes", "306").out
    assert said.startswith("306 ") and said.count("\n") == 1, said
    assert [row["code"] for row in tool.ok("codes", "306", "--json").json] == [306]
    for wrong in ("305a", "9999", "-1", ""):
        done = tool("codes", "--", wrong)
        assert done.status == 1 and "lists them all" in done.err, done
