#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Download of a package of 64 MiB, beside nginx with sendfile and the same file.

usage: bench_download.py [ATFOTA-CLOUD]"""

import shutil
import statistics
import subprocess

from cloud_bench import Cloud, Nginx, folder, paired_ratio, program, table, verdict
from lib.device import Device

MIB = 1 << 20
SIZE = 64 * MIB
DOWNLOADS = 2
ROUNDS = 15
GOAL = 0.9


def speed(url):
    """MiB a second over several downloads on one connection."""
    words = ["curl", "-sSf", "-w", "%{speed_download} %{size_download}\n"]
    for _ in range(DOWNLOADS):
        words += ["-o", "/dev/null", url]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert all(int(line.split()[1]) == SIZE for line in lines), lines
    return statistics.median(float(line.split()[0]) for line in lines) / MIB


def main():
    with folder() as place, Cloud(program(), f"{place}/cloud", "--log-level", "warn") as cloud:
        product, _, data = cloud.everything(SIZE)
        device = Device(cloud.url, product.product, product.secret, product.oem, product.model)
        _, offer = device.check("V2.00")
        url = cloud.url + offer["url"]
        blob = next((cloud.data / "blobs").glob("*/*"))
        with Nginx(place, f"root {place};") as nginx:
            served = shutil.copy(blob, f"{place}/package")
            subprocess.run(["chmod", "a+rx", place, served], check=True)
            rates = {nginx.url + "/package": [], url: []}
            for _ in range(ROUNDS):
                for target, found in rates.items():
                    found.append(speed(target))
        theirs, ours = (statistics.median(found) for found in rates.values())
        ratio = paired_ratio(rates[url], rates[nginx.url + "/package"])
        table("download of a package of 64 MiB", [
            ("", "MiB/s", "ratio", "goal", ""),
            ("nginx, sendfile", f"{theirs:,.0f}", "", "", ""),
            ("platform", f"{ours:,.0f}", f"{ratio:.2f}", f">= {GOAL}", verdict(ratio >= GOAL)),
        ])
        del data


main()
