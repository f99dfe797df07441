# SPDX-License-Identifier: Apache-2.0
"""Foreign programs: found, started on a terminal of their own, and ended again."""

import os
import re
import select
import shutil
import subprocess
import termios
import time

import pytest

PATH = os.environ["PATH"]


def needs(*programs):
    """Skips the test, with the reason, if a program is not there."""
    for program in programs:
        if not shutil.which(program, path=PATH):
            pytest.skip(f"{program} is not installed")


def wait_for(is_there, what, limit_s=20.0, pause_s=0.1):
    """Polls until `is_there()` gives something true, which is returned."""
    end = time.monotonic() + limit_s
    while True:
        found = is_there()
        if found:
            return found
        assert time.monotonic() < end, f"no {what} within {limit_s} s"
        time.sleep(pause_s)


class Terminal:
    """A program on a terminal, with somebody who types and reads the screen."""

    def __init__(self, words, **env):
        self.master, slave = os.openpty()
        env = dict(os.environ, PATH=PATH, TERM="vt100", LC_ALL="C", **env)
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=env,
                                        start_new_session=True)
        os.close(slave)
        self.screen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def until_raw(self, limit_s=10.0):
        """Waits until the program takes every key as it is: many greet before they do."""
        end = time.monotonic() + limit_s
        while termios.tcgetattr(self.master)[3] & termios.ICANON:
            assert time.monotonic() < end, f"the terminal stays in line mode: {self.screen!r}"
            time.sleep(0.01)

    def until(self, pattern, limit_s=10.0):
        """Waits for a pattern on the screen; gives what was there up to it."""
        end = time.monotonic() + limit_s
        while True:
            match = re.search(pattern, self.screen)
            if match:
                shown, self.screen = self.screen[:match.end()], self.screen[match.end():]
                return shown
            assert time.monotonic() < end, f"no {pattern!r} on the screen: {self.screen!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.screen += os.read(self.master, 4096)
                except OSError:  # the program has ended
                    time.sleep(0.05)

    def wait(self, limit_s=10.0):
        """The exit status; what it still writes is read meanwhile."""
        end = time.monotonic() + limit_s
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running: {self.screen!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.screen += os.read(self.master, 4096)
                except OSError:
                    time.sleep(0.05)
        return self.process.returncode
