# SPDX-License-Identifier: Apache-2.0
"""The harness must fail where the programs do: what it is shown here are programs
that end badly behind a test's back."""

import shutil
import subprocess

import pytest

from lib.links import closed_port
from lib.world import SECRET, World

# A module that makes its links and ends as told when it gets SIGTERM.
SCRIPT = """#!/bin/sh
state=$2
trap '{end}' TERM
while [ $# -gt 0 ]; do
    if [ "$1" = --pty ]; then ln -s /dev/null "$2"; fi
    shift
done
echo module: ready
while :; do sleep 0.02; done
"""

ENDS = [
    ("a clean end", "exit 0", []),
    ("a status", "exit 3", ["exit status 3"]),
    ("a sanitizer's report", "echo heap-buffer-overflow > $(dirname $state)/asan.77; exit 0", ["heap-buffer-overflow\n"]),
    ("the secret in the log", f"echo got {SECRET}; exit 0", ["the product secret is in module.log"]),
]


@pytest.mark.parametrize("end,complaints", [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_went_wrong_behind_a_test_is_told(tmp_path, end, complaints):
    program = tmp_path / "atfotad"
    program.write_text(SCRIPT.format(end=end))
    program.chmod(0o755)
    world = World(tmp_path, program, set())
    world.module()
    assert world.close() == complaints


def test_a_module_that_does_not_start_is_told(tmp_path):
    world = World(tmp_path, shutil.which("false"), set())
    with pytest.raises(AssertionError, match="ended at its start"):
        world.module()
    world.close()


@pytest.mark.parametrize("code,options,name", [
    ("char *p = malloc(4); p[4] = 1; return p[4];", "address", "heap-buffer-overflow"),
    ("int x = 2147483647; return x + argc > 0;", "undefined", "signed integer overflow"),
    ("void *volatile p = malloc(4); p = 0; return p != 0;", "address", "detected memory leaks"),
])
def test_a_sanitizer_ends_a_program_with_its_own_status(tmp_path, code, options, name):
    source = tmp_path / "bad.c"
    source.write_text("#include <stdlib.h>\nint main(int argc, char **argv) { (void)argv; (void)argc; %s }\n" % code)
    subprocess.run(["clang", f"-fsanitize={options}", "-o", tmp_path / "bad", source], check=True)
    done = subprocess.run([tmp_path / "bad"], capture_output=True, text=True)
    assert done.returncode == 99 and name in done.stderr


def test_a_closed_port_is_closed():
    assert subprocess.run(["curl", "-s", f"http://127.0.0.1:{closed_port()}"]).returncode == 7
