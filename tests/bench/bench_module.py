#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An upgrade of 256 MiB by AT command over loopback, beside `curl -o FILE`, `sync FILE` and
`sha256sum FILE` in a row; memory of the module, and how fast it answers AT meanwhile.

usage: bench_module.py [ATFOTA-CLOUD] (atfotad is taken from the same build)"""

import re
import statistics
import subprocess
import time

import serial
from cloud_bench import Cloud, folder, program, table, verdict
from lib.device import Device
from lib.module import Module

MIB = 1 << 20
SIZE = 256 * MIB
ROUNDS = 3
GOAL_RATIO, GOAL_RSS, GOAL_AT_S = 1.25, 12 * MIB, 0.020
LIMIT_S = 120


def reference(url, place):
    """Seconds of the three programs in a row."""
    target = f"{place}/reference"
    begun = time.monotonic()
    for words in (["curl", "-sSf", "-o", target, url], ["sync", target], ["sha256sum", target]):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


class Line:
    """A host that asks AT again and again, as fast as it is answered."""

    def __init__(self, link):
        self.port = serial.Serial(str(link), timeout=0.05)
        self.got = b""

    def ask(self, command):
        """Seconds until OK."""
        at = len(self.got)
        begun = time.monotonic()
        self.port.write(command + b"\r")
        while b"OK\r\n" not in self.got[at:]:
            assert time.monotonic() - begun < LIMIT_S, self.got[-400:]
            self.got += self.port.read(self.port.in_waiting or 1)
        return time.monotonic() - begun

    def codes(self):
        return [int(code) for code in re.findall(rb"\+CSCFOTA: (\d+)", self.got)]


def upgrade(module, command):
    """Seconds of a session, and those of each AT during it."""
    line = Line(module.link)
    for words in (b"ATE0", b"AT+CAPFOTA=1"):
        line.ask(words)
    begun = time.monotonic()
    line.ask(command)
    answers = []
    while not line.codes() or line.codes()[-1] == 2:
        answers.append(line.ask(b"AT"))
        time.sleep(0.002)
    took = time.monotonic() - begun
    assert line.codes() == [2, 3], line.codes()
    line.port.close()
    return took, answers


def main():
    atfotad = program().resolve().parents[1] / "module/atfotad"
    with folder() as place, Cloud(program(), f"{place}/cloud", "--log-level", "warn") as cloud:
        product = cloud.everything(SIZE)[0]
        device = Device(cloud.url, product.product, product.secret, product.oem, product.model)
        _, offer = device.check("V2.00")
        url = cloud.url + offer["url"]
        command = (f'AT+CSCFOTA="{product.oem}","{product.model}","{product.product}","{product.secret}",'
                   '"V2.00"').encode()
        theirs, ours, answers, peak = [], [], [], 0
        for turn in range(ROUNDS):
            theirs.append(reference(url, place))
            module = Module(atfotad, f"{place}/module{turn}", cloud.url, limits=["--log-level", "info"],
                            trust=product.keys).start()
            took, found = upgrade(module, command)
            ours.append(took)
            answers += found
            peak = max(peak, module.rss_bytes(peak=True))
            module.stop()
            subprocess.run(["rm", "-rf", f"{place}/module{turn}"], check=True)
        answers.sort()
        one, other = statistics.median(ours), statistics.median(theirs)
        table("upgrade of 256 MiB by AT command over loopback", [
            ("", "seconds", "ratio", "goal", ""),
            ("curl, sync, sha256sum", f"{other:.2f}", "", "", ""),
            ("module", f"{one:.2f}", f"{one / other:.2f}", f"<= {GOAL_RATIO}", verdict(one <= GOAL_RATIO * other)),
        ])
        table("the module meanwhile", [
            ("", "found", "goal", ""),
            ("peak resident memory", f"{peak / MIB:.1f} MiB", f"< {GOAL_RSS // MIB} MiB", verdict(peak < GOAL_RSS)),
            (f"AT answered, median of {len(answers)}", f"{statistics.median(answers) * 1000:.2f} ms", "", ""),
            ("AT answered, 99th percentile", f"{answers[len(answers) * 99 // 100] * 1000:.2f} ms", "", ""),
            ("AT answered, slowest", f"{answers[-1] * 1000:.2f} ms", f"<= {GOAL_AT_S * 1000:.0f} ms",
             verdict(answers[-1] <= GOAL_AT_S)),
        ])


main()
