#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""5,000 slow downloads of one package at once: memory of the platform for each of them, and how
checks are answered meanwhile.

usage: bench_slow.py [ATFOTA-CLOUD]"""

import resource
import selectors
import socket
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from cloud_bench import Cloud, check_messages, folder, program, table, verdict, wire, wrk
from lib.device import Device

COUNT = 5_000
SIZE = 64 << 20
GOAL_BYTES = 20_000
GOAL_MS = 100
READ_BYTES = 1024
ROUND_S = 2.0  # every download reads READ_BYTES in this time
WRK_S = 5
CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("messages.lua")


class Slow:
    """Sockets that all load the package, a little in each round."""

    def __init__(self, url, path):
        place = urllib.parse.urlsplit(url)
        self.sockets, self.bytes, self.broken = [], 0, 0
        self.is_ending = threading.Event()
        request = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
        for _ in range(COUNT):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            sock.connect((place.hostname, place.port))
            sock.sendall(request)
            self.sockets.append(sock)
        self.thread = threading.Thread(target=self.run)

    def all_began(self, limit_s=30):
        """Waits until every download has its first byte."""
        with selectors.DefaultSelector() as selector:
            for sock in self.sockets:
                selector.register(sock, selectors.EVENT_READ)
            end, waiting = time.monotonic() + limit_s, COUNT
            while waiting and time.monotonic() < end:
                for key, _ in selector.select(1):
                    selector.unregister(key.fileobj)
                    head = key.fileobj.recv(64)
                    waiting -= head.startswith(b"HTTP/1.1 200")
        return waiting == 0

    def run(self):
        while not self.is_ending.is_set():
            for at, sock in enumerate(self.sockets):
                if at % 50 == 0 and self.is_ending.wait(ROUND_S * 50 / COUNT):
                    return
                try:
                    got = len(sock.recv(READ_BYTES, socket.MSG_DONTWAIT))
                    self.broken += got == 0
                    self.bytes += got
                except BlockingIOError:
                    pass
                except OSError:
                    self.broken += 1

    def stop(self):
        self.is_ending.set()
        self.thread.join()
        for sock in self.sockets:
            sock.close()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < COUNT + 200:
        sys.exit(f"the limit of open files is {hard}; {COUNT + 200} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with folder() as place, Cloud(program(), f"{place}/cloud", "--log-level", "warn") as cloud:
        product, _, _ = cloud.everything(SIZE)
        device = Device(cloud.url, product.product, product.secret, product.oem, product.model)
        _, offer = device.check("V2.00")
        path = f"{place}/messages"
        with open(path, "wb") as file:
            for message in check_messages(product, range(1000)):
                file.write(len(message).to_bytes(2, "big") + message)
        calm_p99 = wrk(cloud.url, SCRIPT, WRK_S, CONNECTIONS, path, wire.CHECK_PATH)[1]
        before = cloud.memory_kib()
        slow = Slow(cloud.url, offer["url"])
        assert slow.all_began(), "not all downloads began"
        slow.thread.start()
        p99 = wrk(cloud.url, SCRIPT, WRK_S, CONNECTIONS, path, wire.CHECK_PATH)[1]
        each = (cloud.memory_kib() - before) * 1024 / COUNT
        slow.stop()
        assert slow.broken == 0 and slow.bytes > COUNT * READ_BYTES, (slow.broken, slow.bytes)
        table(f"{COUNT:,} slow downloads at once", [
            ("", "measured", "goal", ""),
            ("memory for each", f"{each / 1000:.1f} kB", f"<= {GOAL_BYTES / 1000:.0f} kB", verdict(each <= GOAL_BYTES)),
            ("checks, 99th percentile", f"{p99:.1f} ms", f"<= {GOAL_MS} ms", verdict(p99 <= GOAL_MS)),
            ("the same without downloads", f"{calm_p99:.1f} ms", "", ""),
        ])


main()
