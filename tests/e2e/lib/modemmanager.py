# SPDX-License-Identifier: Apache-2.0
"""A ModemManager of one's own: private bus, no udev, nothing of the system is touched."""

import os
import re
import subprocess

from .programs import PATH, wait_for

BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
NAME = "org.freedesktop.ModemManager1"


class ModemManager:
    def __init__(self, folder, *options, prefix=()):
        self.folder = folder
        self.bus = f"unix:path={folder}/bus"
        self.env = dict(os.environ, PATH=PATH, LC_ALL="C", DBUS_SYSTEM_BUS_ADDRESS=self.bus,
                        DBUS_SESSION_BUS_ADDRESS=self.bus)
        (folder / "bus.conf").write_text(BUS.format(path=folder / "bus"))
        self._log = open(folder / "modemmanager.log", "wb")
        self._processes = []
        try:
            self._open(*prefix, "ModemManager", "--test-session", "--test-no-udev", "--no-auto-scan", "--debug", *options)
        except BaseException:
            self.close()
            raise

    def _open(self, *words):
        self._start("dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork")
        wait_for(lambda: (self.folder / "bus").exists(), "bus")
        self._start(*words)
        wait_for(lambda: re.search("No modems|/Modem/", self.mmcli("-L")), "ModemManager")

    def _start(self, *words):
        self._processes.append(subprocess.Popen(words, stdout=self._log, stderr=self._log, env=self.env))

    def close(self):
        for process in reversed(self._processes):
            process.terminate()
            process.wait(10)
        self._log.close()

    def mmcli(self, *words):
        """What mmcli shows, without asking whether it succeeded."""
        done = subprocess.run(["mmcli", *words], capture_output=True, text=True, env=self.env, timeout=40)
        return done.stdout + done.stderr

    def set_profile(self, plugin, *ports):
        """A virtual modem of these ports."""
        names = "[" + ", ".join(f"'{port}'" for port in ports) + "]"
        subprocess.run(["gdbus", "call", "--address", self.bus, "--dest", NAME, "--object-path",
                        "/org/freedesktop/ModemManager1", "--method", f"{NAME}.Test.SetProfile", "test", plugin,
                        names], env=self.env, check=True, capture_output=True, timeout=20)

    def modem(self, limit_s=40):
        """Waits for the modem; what mmcli shows of it. Probing takes ten seconds."""
        wait_for(lambda: "/Modem/" in self.mmcli("-L"), "modem", limit_s, 0.3)
        return self.mmcli("-m", "any")

    def command(self, line):
        """What the module answers to a line, as mmcli shows it."""
        return self.mmcli("-m", "any", f"--command={line}").strip()
