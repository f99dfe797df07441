# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that forwards bytes unchanged and cuts connections on demand."""

import re
import select
import socket
import threading
import time

CHUNK_BYTES = 65536


class CutProxy:
    """`cuts` is a list of byte counts: the first connection with a PATCH is cut after so many
    bytes from there on, the second after the next, and so on; then all pass. `lose` is a
    pattern of a request whose answer is lost once. `pace_s` waits after each chunk."""

    def __init__(self, url, cuts=(), lose=None, pace_s=0.0):
        host, port = re.fullmatch(r"http://([^:/]+):(\d+)", url).groups()
        self.target = host, int(port)
        self.cuts, self.lose, self.pace_s = list(cuts), lose, pace_s
        self.heads = []  # request lines with their Upload-Offset, in order
        self.sent_bytes = 0  # to the server, over all connections
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stop = threading.Event()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._listener.close()

    def offsets(self):
        return [int(offset) for _, offset in self.heads if offset]

    def _accept(self):
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self.target) as server:
            sent, cut = 0, None
            while not self._stop.is_set():
                readable, _, _ = select.select([client, server], [], [], 0.1)
                if client in readable:
                    data = _read(client)
                    if not data:
                        return
                    self._note(data)
                    if cut is None and self.cuts and data.startswith(b"PATCH "):
                        cut = sent + self.cuts.pop(0)
                    allowed = data if cut is None else data[:max(0, cut - sent)]
                    server.sendall(allowed)
                    sent += len(data)
                    self.sent_bytes += len(allowed)
                    if cut is not None and sent >= cut:
                        time.sleep(0.1)  # what was sent arrives
                        return
                    if self.lose and re.search(self.lose, data):
                        self.lose = None
                        _read(server)
                        return
                    time.sleep(self.pace_s)
                if server in readable:
                    data = _read(server)
                    if not data:
                        return
                    client.sendall(data)

    def _note(self, data):
        for match in re.finditer(rb"(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP/1.1\r\n((?:[^\r\n]+\r\n)*)\r\n", data):
            offset = re.search(rb"(?i)upload-offset: (\d+)", match[3])
            self.heads.append((f"{match[1].decode()} {match[2].decode()}", offset and offset[1].decode()))


def _read(sock):
    try:
        return sock.recv(CHUNK_BYTES)
    except OSError:
        return b""
