#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the start of the platform to its line "listening on", and its memory when idle; with a new
data directory and with one of 100,000 devices.

usage: bench_start.py [ATFOTA-CLOUD]"""

import statistics
import time

from cloud_bench import Cloud, fill_devices, folder, program, table, verdict

ROUNDS = 5
GOAL_MS = 150
GOAL_MIB = 20
DEVICES = 100_000


def start(cloud):
    """(milliseconds, MiB) of one start."""
    begun = time.monotonic()
    cloud.start()
    ready_ms = (time.monotonic() - begun) * 1000
    assert cloud.request("GET", "/healthz", token=None).status == 200
    time.sleep(0.2)
    memory = cloud.memory_kib() / 1024
    cloud.stop()
    return ready_ms, memory


def row(name, starts):
    ready, memory = statistics.median(s[0] for s in starts), max(s[1] for s in starts)
    return [(f"ready, {name}", f"{ready:.0f} ms", f"<= {GOAL_MS} ms", verdict(ready <= GOAL_MS)),
            (f"resident, {name}", f"{memory:.1f} MiB", f"< {GOAL_MIB} MiB", verdict(memory < GOAL_MIB))]


def main():
    with folder() as place:
        fresh = [start(Cloud(program(), f"{place}/fresh{i}")) for i in range(ROUNDS)]
        full = Cloud(program(), f"{place}/full")
        with full:
            full.everything()
        fill_devices(full, 1, DEVICES)
        again = [start(full) for _ in range(ROUNDS)]
        table("start of the platform", [("", "measured", "goal", ""), *row("new", fresh),
                                        *row(f"{DEVICES:,} devices", again)])


main()
