# SPDX-License-Identifier: Apache-2.0
"""A host (TE) on the module's serial line."""

import re
import time

import serial

from .codes import PROGRESS

FINAL = re.compile(r"^(OK|ERROR|\+CME ERROR: .*)$")
CODE = re.compile(r"^\+CSCFOTA: (\d+)$")
ANSWER_S = 9.0  # the manual's maximum response time
QUIET_S = 0.15


class Host:
    """Lines in, lines out. Everything that passed is in `transcript`; unsolicited
    lines wait in order until they are taken."""

    def __init__(self, link, seen=None):
        self.port = serial.Serial(str(link), 115200, timeout=0.005)
        self.transcript = []
        self.seen = set() if seen is None else seen
        self._rest = b""
        self._lines = []  # (time, line) not yet taken
        self._begun = time.monotonic()

    def close(self):
        self.port.close()

    def note(self, text):
        self.transcript.append(f"{time.monotonic() - self._begun:8.3f}  {text}")

    def story(self):
        """The transcript, for a failure's message."""
        return "\n".join(["transcript:"] + self.transcript[-200:])

    def write(self, data):
        self.note(f"> {data!r}")
        self.port.write(data)

    def _read(self):
        try:
            data = self.port.read(self.port.in_waiting or 1)
        except (OSError, serial.SerialException):  # the module went away
            time.sleep(0.005)
            return
        self._rest += data
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            text = line.decode("utf-8", "backslashreplace").strip("\r")
            if text:
                self.note(f"< {text}")
                self._lines.append((time.monotonic(), text))
                self._remember(text)

    def _remember(self, text):
        match = CODE.match(text) or re.match(r"^\+CME ERROR: (\d+)$", text)
        if match:
            self.seen.add(int(match.group(1)))

    def _take(self, is_wanted, limit_s, what):
        """The lines before and with the first that is wanted."""
        end = time.monotonic() + limit_s
        at = 0
        while True:
            while at < len(self._lines):
                at += 1
                if is_wanted(self._lines[at - 1][1]):
                    taken, self._lines = self._lines[:at], self._lines[at:]
                    return [line for _, line in taken]
            assert time.monotonic() < end, f"no {what} within {limit_s} s\n{self.story()}"
            self._read()

    def settle(self, limit_s=ANSWER_S):
        """Waits until the module answers, without echo and with nothing pending."""
        end = time.monotonic() + limit_s
        asked = 0
        while asked == 0 or not self._has_ok(0.3):
            assert time.monotonic() < end, f"the module does not answer\n{self.story()}"
            self.write(b"ATE0\r")
            asked += 1
        # a slow module answers those that were not waited for, too
        while asked > 1 and self._has_ok(1.0):
            asked -= 1
        self.quiet(0.02)

    def _has_ok(self, limit_s):
        try:
            self._take(lambda line: line == "OK", limit_s, "OK")
        except AssertionError:
            return False
        return True

    def send(self, line, limit_s=ANSWER_S, keep=True):
        """Sends one command line; gives (information lines, final line). Codes of a
        session that came between go on waiting, unless `keep` is false."""
        self.write(line.encode() + b"\r")
        lines = self._take(FINAL.match, limit_s, f"final result of {line.split('=')[0]}")
        return self._keep_codes(lines[:-1]) if keep else lines[:-1], lines[-1]

    def _keep_codes(self, lines):
        kept = [line for line in lines if CODE.match(line)]
        self._lines = [(time.monotonic(), line) for line in kept] + self._lines
        return [line for line in lines if not CODE.match(line)]

    def ok(self, line, limit_s=ANSWER_S, keep=True):
        """Sends a command that must succeed; gives its information lines."""
        lines, final = self.send(line, limit_s, keep)
        assert final == "OK", f"{line.split('=')[0]} gave {final}\n{self.story()}"
        return lines

    def refused(self, line, limit_s=ANSWER_S):
        """Sends a command that must be refused with nothing but a final line; gives it."""
        lines, final = self.send(line, limit_s)
        assert final != "OK" and not lines, f"not refused: {lines} {final}\n{self.story()}"
        return final

    def codes(self, limit_s=20.0, until=None):
        """The +CSCFOTA codes of a session up to its final one (or `until`), with the
        proof that nothing else came and that nothing follows the final code."""
        def is_last(line):
            match = CODE.match(line)
            if not match:
                return False
            code = int(match.group(1))
            return code == until if until else code not in PROGRESS

        lines = self._take(is_last, limit_s, "end of the session")
        if until is None:
            self.quiet()
        codes = [CODE.match(line) for line in lines]
        assert all(codes), f"something else than result codes: {lines}\n{self.story()}"
        return [int(match.group(1)) for match in codes]

    def lines_until(self, pattern, limit_s=20.0):
        """The lines up to and with the first that matches."""
        return self._take(re.compile(pattern).fullmatch, limit_s, pattern)

    def bytes_until(self, ending, limit_s=20.0):
        """The bytes as they come, up to `ending`."""
        end = time.monotonic() + limit_s
        data = b""
        while not data.endswith(ending):
            assert time.monotonic() < end, f"no {ending!r} in {data!r}\n{self.story()}"
            data += self.port.read(1)
        return data

    def waiting(self):
        """Lines that came and were not taken yet, as (time, line)."""
        return list(self._lines)

    def wait_final(self, limit_s=ANSWER_S):
        """Takes the next final line only; unsolicited lines before it go on waiting."""
        end = time.monotonic() + limit_s
        while True:
            for at, (_, line) in enumerate(self._lines):
                if FINAL.match(line):
                    del self._lines[at]
                    return line
            assert time.monotonic() < end, f"no final result within {limit_s} s\n{self.story()}"
            self._read()

    def quiet(self, for_s=QUIET_S):
        """Asserts that nothing comes for a while."""
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            self._read()
        assert not self._lines and not self._rest, f"unexpected: {self._lines} {self._rest!r}\n{self.story()}"

    def drain(self, for_s=0.5):
        """Drops what comes for a while."""
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            self._read()
        self._lines, self._rest = [], b""

    # What tests ask all the time.

    def state(self):
        """(state, received, total, version) of AT+FOTASTATE?"""
        text, = self.ok("AT+FOTASTATE?")
        match = re.fullmatch(r'\+FOTASTATE: (\d+),(\d+),(\d+),"([^"]*)"', text)
        assert match, f"not the form of +FOTASTATE: {text}\n{self.story()}"
        return tuple(int(match.group(i)) for i in (1, 2, 3)) + (match.group(4),)

    def last(self):
        """(code, text, step, target) of AT+FOTALAST?"""
        text, = self.ok("AT+FOTALAST?")
        match = re.fullmatch(r'\+FOTALAST: (\d+),"([^"]*)","([^"]*)","([^"]*)"', text)
        assert match, f"not the form of +FOTALAST: {text}\n{self.story()}"
        return int(match.group(1)), match.group(2), match.group(3), match.group(4)
