# SPDX-License-Identifier: Apache-2.0
"""TCP connections and ports with bad manners."""

import random
import select
import socket
import struct


class Gone(Exception):
    """The connection is over; nothing more can be sent on it."""


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def hold(sock, stopping, until=None):
    while not stopping.is_set() and not (until and until.is_set()):
        readable, _, _ = select.select([sock], [], [], 0.05)
        if readable:
            raise Gone


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


class BlackHole:
    """A port that takes no connection and refuses none: its queue is full, so the
    kernel drops what arrives."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._fill = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            self._fill.append(sock)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        for sock in self._fill + [self._listener]:
            sock.close()


def closed_port():
    """A port on which nobody listens, outside of those that the kernel gives to others by itself."""
    while True:
        try:
            with socket.create_server(("127.0.0.1", random.SystemRandom().randrange(10000, 30000))) as sock:
                return sock.getsockname()[1]
        except OSError:
            continue
