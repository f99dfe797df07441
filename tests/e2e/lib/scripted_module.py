# SPDX-License-Identifier: Apache-2.0
"""A module that plays a script over a real PTY or a TCP port: for tests of hosts.

It knows nothing of firmware. It answers each command by the first rule that
matches, at its own pace, and can echo, be mute, make noise, or vanish; what real
modules do now and then and a virtual one never.
"""

import heapq
import itertools
import os
import re
import select
import socket
import threading
import time
import tty

OK, ERROR = "\r\nOK\r\n", "\r\nERROR\r\n"
PACE_S = 0.02


def line(text):
    """A line as modules frame it."""
    return f"\r\n{text}\r\n"


class ScriptedModule:
    """`with ScriptedModule() as module:` and `module.port` is for --port. `module.heard` has
    every line that came, without its end."""

    def __init__(self, echo=False, mute=0, noise=b"", pace=0.0, tcp=False):
        self.echo, self.mute, self.noise, self.pace = echo, mute, noise, pace
        self.heard = []
        self.settings = {"CMEE": "2", "CAPFOTA": "0"}
        self.codes = [2, 3]
        self._rules = []
        self._due, self._order = [], itertools.count()
        self._stop, self._gone = threading.Event(), False
        self._listener = self._slave = self._line = None
        if tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self._line, self._slave = os.openpty()
            tty.setraw(self._slave)
            self.port = os.ttyname(self._slave)

    def rule(self, pattern, *answer, times=None):
        """Answers lines that match with these: texts, seconds to wait, or functions
        of the module. The newest rule that matches counts, `times` times."""
        self._rules.insert(0, [re.compile(pattern), answer, times])
        return self

    def say(self, *answer, after=0.0):
        """Says it `after` seconds from now, whatever comes meanwhile."""
        when = time.monotonic() + after
        for part in answer:
            if isinstance(part, (int, float)):
                when += part
                continue
            heapq.heappush(self._due, (when, next(self._order), part))

    def vanish(self):
        """Unplugged: the other end of the line closes."""
        self._gone = True

    def count(self, pattern):
        return sum(1 for text in self.heard if re.fullmatch(pattern, text))

    def wait_for(self, pattern, limit_s=5.0):
        end = time.monotonic() + limit_s
        while not self.count(pattern):
            assert time.monotonic() < end, f"no {pattern} among {self.heard}"
            time.sleep(0.005)

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(5)
        self._close()
        if self._listener:
            self._listener.close()

    # What a module with the two commands says.

    def _default(self, text):
        match = re.fullmatch(r"AT\+(CMEE|CAPFOTA)(\?|=(\d))", text)
        if match and match[2] == "?":
            return [line(f"+{match[1]}: {self.settings[match[1]]}"), OK]
        if match:
            self.settings[match[1]] = match[3]
            return [OK]
        if text in ("AT", "ATQ0V1"):
            return [OK]
        if text.startswith("AT+CSCFOTA=") and self.settings["CAPFOTA"] == "1":
            return [OK] + [part for code in self.codes for part in (PACE_S, line(f"+CSCFOTA: {code}"))]
        return [ERROR]

    def _answer(self, text):
        for rule in self._rules:
            if rule[0].fullmatch(text) and rule[2] != 0:
                rule[2] = None if rule[2] is None else rule[2] - 1
                return rule[1]
        return self._default(text)

    def _take(self, text):
        self.heard.append(text)
        if self.mute > 0:
            self.mute -= 1
            return
        if self.echo:
            self.say(text + "\r")
        self.say(self.noise, self.pace, *self._answer(text))

    # The line.

    def _run(self):
        if self._listener and not self._accept():
            return
        rest = b""
        while not self._stop.is_set() and not self._gone:
            rest = self._read(rest)
            self._speak()
        self._close()

    def _accept(self):
        while not self._stop.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                self._line = self._listener.accept()[0].detach()
                return True
        return False

    def _read(self, rest):
        if not select.select([self._line], [], [], 0.005)[0]:
            return rest
        try:
            data = os.read(self._line, 4096)
        except OSError:
            return rest
        if not data:
            self._gone = True
        *lines, rest = (rest + data).split(b"\r")
        for text in lines:
            self._take(text.decode("utf-8", "replace").lstrip("\n"))
        return rest

    def _speak(self):
        while self._due and self._due[0][0] <= time.monotonic() and not self._gone:
            part = heapq.heappop(self._due)[2]
            if callable(part):
                part(self)
            elif part:
                os.write(self._line, part if isinstance(part, bytes) else part.encode())

    def _close(self):
        for fd in (self._line, self._slave):
            if fd is not None:
                try:
                    os.close(fd)
                except OSError:
                    pass
        self._line = self._slave = None
