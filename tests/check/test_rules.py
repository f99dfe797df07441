# SPDX-License-Identifier: Apache-2.0
"""Each check of our own is shown a tree that it must pass and one that it must not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from checks import results, rules, runner  # noqa: E402

SPDX = rules.SPDX + "\n"
GOOD = SPDX + """#include <stdint.h>

#include "own.h"

int own(int value)
{
	return value + 1;
}
"""


@pytest.fixture
def tree(tmp_path):
    """A repository with a core of one good file."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "core/include").mkdir(parents=True)
    (tmp_path / "core/own.h").write_text(SPDX + "int own(int value);\n")
    (tmp_path / "core/own.c").write_text(GOOD)
    (tmp_path / "core/sources.txt").write_text("core/own.c\n")
    (tmp_path / ".clang-format").write_text((ROOT / ".clang-format").read_text())
    return tmp_path


def on_arm(root):
    return rules.core_on_arm(root, root / "out", say=lambda _: None)


ALL = [rules.core_includes, rules.machine_paths, rules.licence_lines, rules.functions, rules.formatted, on_arm]


@pytest.mark.parametrize("rule", ALL, ids=[rule.__name__ for rule in ALL])
def test_a_good_tree_passes(tree, rule):
    assert rule(tree) == []


LONG = "int own(int value)\n{\n" + "\tvalue++;\n" * 100 + "\treturn value;\n}\n"
MACHINE = "".join(["/", "root", "/secret"])  # in pieces, for this file is checked too
BAD = [
    (rules.core_includes, "core/own.c", GOOD.replace("stdint.h", "stdio.h")),
    (rules.core_includes, "core/own.c", GOOD.replace('"own.h"', '"../module/other.h"')),
    (rules.core_includes, "core/own.h", SPDX + "#include <stdlib.h>\n"),
    (rules.machine_paths, "notes.md", f"see {MACHINE}\n"),
    (rules.licence_lines, "core/own.c", GOOD.replace(SPDX, "")),
    (rules.functions, "core/own.c", SPDX + LONG),
    (rules.functions, "core/own.c", GOOD.replace("\treturn", "#ifdef A\n\treturn").replace("1;\n", "1;\n#endif\n")),
    (rules.formatted, "core/own.c", GOOD.replace("\treturn", "  return")),
    (on_arm, "core/own.c", GOOD.replace("int own", "int own_calls;\nint own").replace("value + 1", "own_calls++")),
    (on_arm, "core/own.c", GOOD.replace("int own", "static int calls = 7;\nint own").replace("value + 1", "calls++")),
    (on_arm, "core/own.c", GOOD.replace("int own", "int printf(const char *, ...);\nint own")
     .replace("value + 1", 'printf("%d", value)')),
    (on_arm, "core/own.c", GOOD.replace("value + 1", "value + 1 +")),
    (on_arm, "core/own.c", GOOD.replace("value + 1", "1")),
]


@pytest.mark.parametrize("rule,name,text", BAD, ids=[f"{i}-{row[0].__name__}" for i, row in enumerate(BAD)])
def test_a_bad_tree_fails(tree, rule, name, text):
    (tree / name).write_text(text)
    assert rule(tree) != []


def test_a_tree_without_c_files_is_not_well_formatted(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert rules.formatted(tmp_path) != []


def test_an_option_that_the_manual_page_lacks_is_found():
    text = "  --state DIR  where\n  --state-only\n  -h, --help\n"
    assert rules.options_described(text, r".B \-\-state\-only" + "\n" + r"\-\-help" + "\n.B \\-\\-state DIR") == []
    assert rules.options_described(text, r"\-\-state\-only \-\-help") == ["--state is not in the manual page"]
    assert rules.options_described("no options", "") != []


# The runner: it must count, and must fail when something failed or nothing ran.

def run(tmp_path, **parts):
    said = []
    status = runner.run_all(tmp_path, tmp_path / "logs", parts, said.append)
    return status, said


def passes(job):
    return job.command(["true"])


def test_the_runner_sums_up_in_its_last_line(tmp_path):
    status, said = run(tmp_path, a=passes, b=lambda job: runner.Counts(2, 0, ["b: no tmpfs"]))
    assert (status, said[-1], said[-2]) == (0, "3 passed, 0 failed, 1 skipped", "skipped b: no tmpfs")


def raises(job):
    raise RuntimeError("broken part")


@pytest.mark.parametrize("part", [
    lambda job: job.command(["false"]),
    lambda job: job.command(["no-such-program"]),
    lambda job: job.command(["sleep", "5"], limit_s=0.1),
    lambda job: runner.Counts(),
    raises,
], ids=["command fails", "no command", "too long", "nothing ran", "exception"])
def test_the_runner_fails_when_a_part_does(tmp_path, part):
    status, said = run(tmp_path, a=passes, b=part)
    assert (status, said[-1]) == (1, "1 passed, 1 failed, 0 skipped")


def test_counts_of_pytest_are_read(tmp_path):
    (tmp_path / "test_x.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pytest.skip('why')\n")
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=x.xml"],
                   cwd=tmp_path, capture_output=True)
    counts = results.of_pytest(tmp_path / "x.xml")
    assert (counts.passed, counts.failed, len(counts.skipped)) == (1, 1, 1)
    assert "why" in counts.skipped[0]
    assert results.of_pytest(tmp_path / "missing.xml").failed == 1


def test_counts_of_meson_are_read(tmp_path):
    rows = [
        {"name": "one", "result": "OK", "stdout": "[  PASSED  ] 12 test(s).\n", "stderr": ""},
        {"name": "two", "result": "FAIL", "stdout": "[  PASSED  ] 3 test(s).\n", "stderr": "[  FAILED  ] 2 test(s)"},
        {"name": "three", "result": "OK", "stdout": ""},
        {"name": "four", "result": "TIMEOUT", "stdout": "[  PASSED  ] 1 test(s).\n"},
        {"name": "five", "result": "SKIP", "stdout": ""},
    ]
    log = tmp_path / "testlog.json"
    log.write_text("\n".join(json.dumps(row) for row in rows))
    counts = results.of_meson(log)
    assert (counts.passed, counts.failed, len(counts.skipped)) == (17, 3, 1)
    assert results.of_meson(tmp_path / "missing").failed == 1
