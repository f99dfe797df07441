# SPDX-License-Identifier: Apache-2.0
"""Runs parts one after another, counts what passed, and tells it in one line. What
failed is told twice: with the end of its log when it happens, and in short at the end."""

import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from . import failures
from .failures import Failure

TAIL_LINES = 40


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: list = field(default_factory=list)   # "name: reason"
    failures: list = field(default_factory=list)  # of what failed, as far as it has names

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {len(self.skipped)} skipped"


def failed(name, lines=()):
    """Counts of one failure."""
    return Counts(failed=1, failures=[Failure(name, list(lines))])


class Job:
    """What a part gets: where it is, its log, and a way to run commands into it."""

    def __init__(self, root, logs, name):
        self.root = Path(root)
        self.folder = Path(logs)
        self.log_path = self.folder / f"{name}.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path.write_text("")
        self.notes = []  # for the progress line

    def log(self, text):
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(text.rstrip("\n") + "\n")

    def run(self, words, limit_s=600, **env):
        """Exit status of a command; what runs longer than its limit is ended and fails.
        It gets a group of its own to be ended by, but no session: a session's leader
        would take the first PTY that a test opens as its terminal, and hang up with it."""
        self.log("$ " + " ".join(map(str, words)))
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen([str(word) for word in words], cwd=self.root, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env=dict(os.environ, **env), process_group=0)
            try:
                return process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self.log(f"not done within {limit_s} s")
                return 124
            finally:
                _end(process)

    def command(self, words, name=None, **options):
        """Counts of a command that must end with 0."""
        begun = self.log_path.stat().st_size
        status = self.run(words, **options)
        if status == 0:
            return Counts(passed=1)
        said = self.log_path.read_bytes()[begun:].decode(errors="replace").splitlines()[1:]
        return failed(f"{name or Path(words[0]).name}: exit status {status}", failures.telling(said))

    def lines(self):
        return self.log_path.read_text(errors="replace").splitlines()

    def tail(self):
        return self.lines()[-TAIL_LINES:]


def _end(process):
    """Ends a command with all that it started and left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_part(job, part):
    """Counts of one part. A part that counts nothing has not run: that fails."""
    try:
        counts = part(job)
    except Exception as error:
        job.log(traceback.format_exc())
        counts = failed(f"{type(error).__name__}: {error}")
    if not counts.passed and not counts.failed and not counts.skipped:
        job.log("this part ran no check at all")
        counts = failed("this part ran no check at all")
    if counts.failed and not counts.failures:
        counts.failures.append(Failure("without a name", failures.telling(job.lines())))
    return counts


def _of_part(name, job, root, counts):
    """Its failures, with its name and its log."""
    log = os.path.relpath(job.log_path, root)
    return [Failure(f"{name}: {failure.name} ({log})", failure.lines) for failure in counts.failures]


def run_all(root, logs, parts, say=print):
    """Runs the parts (name -> function); gives the exit status."""
    total = Counts()
    for name, part in parts.items():
        begun = time.monotonic()
        job = Job(root, logs, name)
        counts = run_part(job, part)
        counts.failures = _of_part(name, job, root, counts)
        total.add(counts)
        verdict = "FAILED" if counts.failed else "ok"
        say(f"{name:14} {verdict:7} {time.monotonic() - begun:6.1f} s  {counts.line()}"
            + "".join(f"; {note}" for note in job.notes))
        if counts.failed:
            say("\n".join("  | " + line for line in job.tail()))
            say(f"  | all of it: {os.path.relpath(job.log_path, root)}")
        sys.stdout.flush()
    for text in total.skipped:
        say(f"skipped {text}")
    for line in failures.told(total.failures):
        say(line)
    say(total.line())
    return 1 if total.failed else 0
