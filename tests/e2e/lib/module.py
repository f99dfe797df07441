# SPDX-License-Identifier: Apache-2.0
"""One module: a process of atfotad with its state directory and its PTYs."""

import os
import signal
import subprocess
import time
from pathlib import Path

START_S = 30.0
STOP_S = 20.0
# Small limits, so that what gives up does so within a test's time.
QUICK = ["--retries", "1", "--retry-base", "20", "--retry-max", "50", "--connect-timeout", "2",
         "--stall-limit", "1", "--log-level", "debug"]
IDENTITY = ["--device", "860000000000019", "--model", "7600M21", "--firmware-version", "V1.00"]


def sanitizer_env(folder):
    """A sanitizer writes what it finds below `folder` and ends the process."""
    return dict(
        os.environ,
        ASAN_OPTIONS=f"exitcode=99:log_path='{folder}/asan':detect_leaks=1",
        UBSAN_OPTIONS=f"halt_on_error=1:print_stacktrace=1:exitcode=99:log_path='{folder}/ubsan'")


def download_slot(module):
    """Where a module that has never installed anything stores a package."""
    return module.state / "slot-b"


def slots(module):
    """What changes with every write into a slot."""
    found = {path.name: path.stat() for path in module.state.glob("slot-*")}
    return {name: (stat.st_size, stat.st_mtime_ns, stat.st_blocks) for name, stat in found.items()}


class Module:
    """Keeps its state over restart(). `options` come after the usual ones; `trust` has
    the keys whose packages it takes."""

    def __init__(self, program, folder, server, options=(), state=None, ports=1, identity=IDENTITY, limits=QUICK,
                 plain=True, trust=()):
        self.program = str(program)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = Path(state or self.folder / "state")
        self.server = server
        self.options = list(options)
        self.identity, self.limits = list(identity), list(limits)
        self.plain = plain
        self.trust(*trust)
        self.links = [self.folder / f"tty{i}" for i in range(ports)]
        self.process = None
        self.exits = []

    def trust(self, *keys):
        """From its next start on it trusts these keys and no others."""
        self.trusted = self.folder / "trust.pem" if keys else None
        if keys:
            self.trusted.write_bytes(b"".join(key.pem for key in keys))

    @property
    def link(self):
        return self.links[0]

    @property
    def log(self):
        return self.folder / "module.log"

    def arguments(self):
        words = [self.program, "--state", str(self.state), "--server", self.server]
        for link in self.links:
            words += ["--pty", str(link)]
        if self.plain and not self.server.startswith("https:"):
            words.append("--allow-http")
        if self.trusted:
            words += ["--trust", str(self.trusted)]
        return words + self.identity + self.limits + self.options

    def start(self):
        """Starts the program and waits until all its ports are there."""
        assert os.access(self.program, os.X_OK), f"no {self.program}; run: meson setup build && ninja -C build"
        for link in self.links:
            link.unlink(missing_ok=True)
        begun = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=sanitizer_env(self.folder))
        end = time.monotonic() + START_S
        while not (all(link.exists() for link in self.links) and self._is_ready(begun)):
            assert self.process.poll() is None, f"the module ended at its start\n{self.story()}"
            assert time.monotonic() < end, f"not ready within {START_S} s\n{self.story()}"
            time.sleep(0.005)
        return self

    def _is_ready(self, begun):
        """Whether the log says so behind byte `begun`."""
        with open(self.log, "rb") as log:
            log.seek(begun)
            return b"module: ready" in log.read()

    def story(self):
        """The end of the log, for a failure's message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(["module:"] + lines[-40:])

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def sigterm(self, limit_s=STOP_S):
        """Ends the program as a service manager does; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(limit_s)

    def wait(self, limit_s=STOP_S):
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"the module did not end within {limit_s} s\n{self.story()}") from None
        self.exits.append(code)
        return code

    def restart(self):
        if self.process.poll() is None:
            self.sigterm()
        return self.start()

    def stop(self):
        """At the end of a test: the exit status must be clean."""
        if self.process is not None and self.process.poll() is None:
            self.sigterm()

    def rest(self, limit_s=20.0):
        """Waits until it has done what there was to do: it sleeps, and was not woken for a while."""
        end, before = time.monotonic() + limit_s, None
        while (now := self._activity()) != before or now[0] != "S":
            assert time.monotonic() < end, f"the module does not come to rest: {now}\n{self.story()}"
            before = now
            time.sleep(0.1)

    def _activity(self):
        """(state, how often it went to sleep)"""
        rows = dict(line.split(":\t", 1) for line in
                    Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if ":\t" in line)
        return rows["State"][0], rows["voluntary_ctxt_switches"]

    def rss_bytes(self, peak=False):
        name = "VmHWM" if peak else "VmRSS"
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name}")

    def complaints(self):
        """What sanitizers wrote, and exit statuses that are not clean."""
        found = [path.read_text(errors="replace")[:4000] for path in sorted(self.folder.glob("*san.*"))]
        return found + [f"exit status {code}" for code in self.exits if code != 0]
