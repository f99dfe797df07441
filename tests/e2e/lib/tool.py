# SPDX-License-Identifier: Apache-2.0
"""The command-line tool as a program: arguments in, status and text out."""

import json
import os
import subprocess
from dataclasses import dataclass

LIMIT_S = 30


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def text(self):
        return self.out + self.err


class Tool:
    """Runs with a home of its own and nothing of ours in the environment."""

    def __init__(self, program, folder, **env):
        self.program = str(program)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATFOTA_", "XDG_"))}
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.env = kept | {"HOME": str(self.home)} | env

    def start(self, *words, env=None, **options):
        """A process that runs on; without a terminal, so that no prompt waits."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "start_new_session": True} | options
        return subprocess.Popen([self.program, *(word if isinstance(word, bytes) else str(word) for word in words)], env=self.env | (env or {}), **options)

    def finish(self, process, input=None):
        try:
            out, err = process.communicate(input.encode() if input is not None else None, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the tool does not end\n{out.decode()}\n{err.decode()}") from None
        return Done(process.returncode, (out or b"").decode(), (err or b"").decode())

    def __call__(self, *words, input=None, env=None):
        stdin = subprocess.PIPE if input is not None else subprocess.DEVNULL
        return self.finish(self.start(*words, env=env, stdin=stdin), input)

    def ok(self, *words, **options):
        done = self(*words, **options)
        assert done.status == 0, done
        return done
