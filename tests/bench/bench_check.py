#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Authenticated checks on 64 kept connections with 100,000 devices in the database, beside nginx
that returns a fixed body of the same size to the same requests. Then checks that get an offer, with its link and its
signed manifest.

usage: bench_check.py [ATFOTA-CLOUD]"""

import statistics
import time
import urllib.request
from pathlib import Path

from cloud_bench import (Cloud, Nginx, check_messages, fill_devices, folder, paired_ratio, program, table, verdict,
                         wire, wrk)

DEVICES = 100_000
ASKERS = 20_000  # devices that get an offer, besides
CONNECTIONS = 64
SECONDS = 2
ROUNDS = 7
GOAL = 0.5
SCRIPT = Path(__file__).with_name("messages.lua")


def one_answer(url, message):
    request = urllib.request.Request(url + wire.CHECK_PATH, message, {"Content-Type": wire.CONTENT_TYPE})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def write_messages(cloud, product, path, messages, result):
    """Keeps messages for wrk; gives the answer to the first, which must have this result."""
    first = None
    with open(path, "wb") as file:
        for message in messages:
            first = first or message
            file.write(len(message).to_bytes(2, "big") + message)
    body = one_answer(cloud.url, first)
    assert wire.named(wire.unseal(product.secret.encode(), body, wire.take_apart(first)[2]))["result"] == result
    return body


def main():
    with folder() as place, Cloud(program(), f"{place}/cloud", "--log-level", "warn") as cloud:
        product, _, _ = cloud.everything()
        cloud.stop()
        fill_devices(cloud, 1, DEVICES)
        fill_devices(cloud, 1, ASKERS, DEVICES, "V2.00")
        cloud.start()
        path, asking = f"{place}/messages", f"{place}/asking"
        body = write_messages(cloud, product, path, check_messages(product, range(DEVICES)), 1)
        offer = write_messages(cloud, product, asking,
                               check_messages(product, range(DEVICES, DEVICES + ASKERS), "V2.00"), 0)
        fixed = "x" * len(body)
        server = f'default_type "application/cose"; location / {{ return 200 "{fixed}"; }}'
        rates = {"nginx": [], "platform": [], "offers": []}
        slowest = 0.0
        cloud.ok("GET", "devices?limit=1")
        before = cloud.database_state()
        with Nginx(place, server) as nginx:
            for _ in range(ROUNDS):
                rates["nginx"].append(wrk(nginx.url, SCRIPT, SECONDS, CONNECTIONS, path, wire.CHECK_PATH)[0])
                rate, p99 = wrk(cloud.url, SCRIPT, SECONDS, CONNECTIONS, path, wire.CHECK_PATH)
                rates["platform"].append(rate)
                slowest = max(slowest, p99)
                rates["offers"].append(wrk(cloud.url, SCRIPT, SECONDS, CONNECTIONS, asking, wire.CHECK_PATH)[0])
        time.sleep(11)  # longer than the interval of flushes
        is_quiet = cloud.database_state() == before
        ours, theirs = statistics.median(rates["platform"]), statistics.median(rates["nginx"])
        ratio = paired_ratio(rates["platform"], rates["nginx"])
        table(f"checks, {CONNECTIONS} connections, {DEVICES:,} devices, answers of {len(body)} bytes", [
            ("", "requests/s", "ratio", "goal", ""),
            ("nginx, fixed body", f"{theirs:,.0f}", "", "", ""),
            ("platform", f"{ours:,.0f}", f"{ratio:.2f}", f">= {GOAL}", verdict(ratio >= GOAL)),
            ("99th percentile", f"{slowest:.1f} ms", "", "", ""),
            (f"platform, offers of {len(offer)} bytes", f"{statistics.median(rates['offers']):,.0f}",
             f"{paired_ratio(rates['offers'], rates['nginx']):.2f}", "", ""),
            ("writes by idle checks", "none" if is_quiet else "SOME", "", "none", verdict(is_quiet)),
        ])


main()
