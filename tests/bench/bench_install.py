#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installation of 64 MiB beside a plain copy of the same file with fsync: into the other slot (what it
costs beyond a restart that installs nothing), and by an installer of the system's own.

usage: bench_install.py [ATFOTA-CLOUD] (atfotad is taken from the same build)"""

import os
import statistics
import subprocess
import time
from pathlib import Path

import serial
from cloud_bench import Cloud, folder, program, table, verdict
from lib.module import Module

MIB = 1 << 20
SIZE = 64 * MIB
ROUNDS = 5
GOAL_RATIO = 1.2
LIMIT_S = 60
SETTLE_S = 0.5  # the download is reported
INSTALLER = """#!/bin/sh
[ "$1" = install ] || exit 0
exec dd of="{target}" bs=1M conv=fsync status=none
"""


def copy_seconds(source, target):
    """A plain copy with fsync."""
    target.unlink(missing_ok=True)
    begun = time.monotonic()
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync", "status=none"], check=True)
    return time.monotonic() - begun


class Line:
    def __init__(self, link):
        self.port = serial.Serial(str(link), timeout=0.005)

    def until(self, command, word):
        """Seconds from the command to a line with `word`."""
        got = b""
        begun = time.monotonic()
        self.port.write(command + b"\r")
        while word not in got:
            assert time.monotonic() - begun < LIMIT_S, got[-400:]
            got += self.port.read(self.port.in_waiting or 1)
        return time.monotonic() - begun


def ready(module, product):
    """A line to the module, with the package downloaded and verified."""
    line = Line(module.link)
    line.until(b"ATE0", b"OK")
    line.until(b"AT+CAPFOTA=1", b"OK")
    line.until((f'AT+CSCFOTA="{product.oem}","{product.model}","{product.product}","{product.secret}",'
                '"V2.00"').encode(), b"+CSCFOTA: 3")
    time.sleep(SETTLE_S)
    return line


def into_slot(module, product, copy):
    """Seconds of an installation beyond those of a restart alone, and of a plain copy right before."""
    line = ready(module, product)
    plain = copy()
    restart = line.until(b"AT+CRESET", b"PB DONE")
    return line.until(b"AT+FOTAINSTALL", b"PB DONE") - restart, plain


def by_installer(module, product, copy, target):
    """Seconds from the command until the installer has written all of it, to a new file as the plain
    copy right before: to write over an old one takes a third more."""
    line = ready(module, product)
    target.unlink(missing_ok=True)
    plain = copy()
    begun = time.monotonic()
    line.port.write(b"AT+FOTAINSTALL\r")
    while "restarting" not in module.log.read_text():
        assert time.monotonic() - begun < LIMIT_S, module.story()
        time.sleep(0.002)
    took = time.monotonic() - begun
    assert target.stat().st_size == SIZE
    return took, plain


def rounds(atfotad, place, cloud, product, name, options, measure):
    """Medians of the rounds, each with a module of its own."""
    found, copies = [], []
    for turn in range(ROUNDS):
        module = Module(atfotad, f"{place}/{name}{turn}", cloud.url, options,
                        limits=["--log-level", "info", "--slot-size", str(SIZE)], trust=product.keys).start()
        one, plain = measure(module, product, lambda: copy_seconds(Path(place) / "image", Path(place) / "copy"))
        found.append(one)
        copies.append(plain)
        module.stop()
        subprocess.run(["rm", "-rf", f"{place}/{name}{turn}"], check=True)
    return statistics.median(found), statistics.median(copies)


def main():
    atfotad = program().resolve().parents[1] / "module/atfotad"
    with folder() as place, Cloud(program(), f"{place}/cloud", "--log-level", "warn") as cloud:
        product = cloud.everything(SIZE)[0]
        (Path(place) / "image").write_bytes(os.urandom(SIZE))
        hook, target = Path(place) / "installer", Path(place) / "installed"
        hook.write_text(INSTALLER.format(target=target))
        hook.chmod(0o755)
        slot = rounds(atfotad, place, cloud, product, "slot", ["--boot-messages"], into_slot)
        own = rounds(atfotad, place, cloud, product, "own", ["--installer", str(hook)],
                     lambda module, made, copy: by_installer(module, made, copy, target))
        rows = [("", "seconds", "plain copy, fsync", "ratio", "goal", "")]
        for name, (one, other) in (("into the other slot", slot), ("by an installer", own)):
            rows.append((name, f"{one:.3f}", f"{other:.3f}", f"{one / other:.2f}", f"<= {GOAL_RATIO}",
                         verdict(one <= GOAL_RATIO * other)))
        table("installation of 64 MiB", rows)


main()
