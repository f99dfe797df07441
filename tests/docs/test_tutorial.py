# SPDX-License-Identifier: Apache-2.0
"""docs/rehearsal.md is true: its commands run, in one shell, and show what it says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/rehearsal.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@ end of block"


def blocks():
    """[(commands, lines that they show)] of the page, in order."""
    found = []
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind == "sh":
            found.append((text, []))
        elif kind == "text":
            found[-1][1].extend(text.splitlines())
    return found


def missing(shown, wanted):
    """The first wanted line that is not among the shown ones, in order."""
    lines = iter(line.strip() for line in shown.splitlines())
    return next((line for line in wanted if not any(line.strip() in other for other in lines)), None)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    script = "set -eu\n" + "".join(f"{text}\necho '{MARK}'\n" for text, _ in blocks())
    done = subprocess.run(["sh"], input=script, cwd=ROOT, env=os.environ | {"HOME": str(home)}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.replace("\r", "").split(MARK)


@pytest.mark.parametrize("number", range(len(blocks())))
def test_a_block_shows_what_the_page_says(number, shown):
    line = missing(shown[number], blocks()[number][1])
    assert line is None, f"not shown: {line}\n{shown[number]}"


def test_every_rehearsal_was_right(shown):
    files = len(list((ROOT / "module/rehearsals").glob("*.ini")))
    assert "\n".join(shown).count("ok     ") == files
    assert "WRONG" not in "\n".join(shown)


def test_the_ci_job_has_no_command_that_was_not_run():
    commands = "\n".join(text for text, _ in blocks())
    job, = (text for kind, text in BLOCK.findall(PAGE.read_text()) if kind == "yaml")
    steps = re.findall(r"^    - (.*)$", job, re.MULTILINE)
    assert len(steps) >= 4
    assert all(step in commands for step in steps)


def test_a_line_that_is_not_shown_is_found():
    assert missing("a\nb\n", ["a", "b"]) is None
    assert missing("a\nb\n", ["b", "a"]) == "a"
    assert missing("a\n", ["c"]) == "c"
