# SPDX-License-Identifier: Apache-2.0
"""A server between module and platform that plays the bad network.

It hands each request to an upstream (the real platform by HTTP, or anything with
`answer(request)`), and a rule may replace or spoil the exchange: the first rule
whose step and turn match is played, everything else passes untouched. Faults
are plain functions of one exchange, see faults.py.

Every request is logged with the number of body bytes that went out for it. The
socket buffers are small, so that the log tells within 64 KiB what a module got.
"""

import http.client
import re
import socket
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from . import httpwire, links, wire

SEND_BUFFER_BYTES = 65536
CHUNK_BYTES = 65536
# A path of a redirect chain: "/~3/device/v1/check" is the third hop.
HOP = re.compile(r"^/~(\d+)(/.*)$")


class HttpUpstream:
    """The platform behind the fault server: anything with a `url`, which may change.
    While it does not listen the network answers as a proxy does, with 502."""

    def __init__(self, platform):
        self.platform = platform

    def answer(self, request):
        try:
            return self._ask(request)
        except ConnectionError:
            return httpwire.Answer.of(502)

    def _ask(self, request):
        parts = urllib.parse.urlsplit(self.platform.url)
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "connection", "content-length")}
        link.request(request.method, request.path, request.body or None, headers)
        response = link.getresponse()
        length = int(response.headers.get("Content-Length", 0))
        kept = {k: v for k, v in response.headers.items()
                if k.lower() not in ("content-length", "connection", "date", "transfer-encoding")}
        return httpwire.Answer(response.status, kept, self._chunks(link, response), length)

    @staticmethod
    def _chunks(link, response):
        try:
            while True:
                chunk = response.read(CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk
        finally:
            link.close()


@dataclass
class Entry:
    """One request as it came in, and what went out for it."""

    step: str  # check, report, package
    request: httpwire.Request
    at: float
    fault: str = ""
    status: int = 0
    sent: int = 0  # bytes of the body
    answer: bytes = b""  # of check and report

    @property
    def start(self):
        """First byte that a package request asked for."""
        return self.request.range_start or 0


@dataclass
class Rule:
    step: str
    fault: object
    first: int
    last: int
    seen: int = 0

    def is_due(self, step):
        if step != self.step:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last


@dataclass
class Exchange:
    """One request on one connection, and the means to answer it."""

    server: "FaultServer"
    sock: socket.socket
    request: httpwire.Request
    entry: Entry
    hop: int = 0
    _answer: httpwire.Answer = field(default=None)

    def answer(self):
        """The upstream's answer, asked for once."""
        if self._answer is None:
            self._answer = self.server.upstream.answer(self.request)
        return self._answer

    def send(self, data):
        self.sock.sendall(data)

    def send_head(self, answer, **options):
        self.entry.status = answer.status
        self.send(httpwire.head_bytes(answer, **options))

    def send_body(self, chunk):
        self.send(chunk)
        self.entry.sent += len(chunk)

    def reply(self, answer):
        if self.entry.step != "package":
            self.entry.answer = answer.read()
        self.send_head(answer)
        if self.request.method != "HEAD":
            for chunk in answer.chunks:
                self.send_body(chunk)

    def reset(self):
        """Ends the connection with RST."""
        links.reset(self.sock)
        raise links.Gone

    def close(self):
        """Ends the connection with FIN."""
        self.sock.close()
        raise links.Gone

    def hold(self, until=None):
        """Says nothing until the peer goes away, the server stops or `until` is set."""
        links.hold(self.sock, self.server.stopping, until)


class FaultServer:
    """Listens on a free loopback port until stop()."""

    def __init__(self, upstream, tls=None):
        self.upstream = upstream
        self.tls = tls
        self.stopping = threading.Event()
        self.log = []
        self._rules = []
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def rule(self, step, fault, first=1, last=1 << 30):
        """Plays `fault` on the first to last request of `step` from now on. Step
        "connect" means a connection before anything is read."""
        with self._lock:
            self._rules.append(Rule(step, fault, first, last))

    def clear(self):
        with self._lock:
            self._rules.clear()

    def entries(self, step=None):
        with self._lock:
            return [entry for entry in self.log if step in (None, entry.step)]

    def stop(self):
        self.stopping.set()
        links.shut(self._listener)
        with self._lock:
            conns = list(self._open)
        for sock in conns:
            links.shut(sock)

    def _due(self, step):
        """The first rule that is due; each rule of the step counts the turn."""
        with self._lock:
            due = [rule for rule in self._rules if rule.is_due(step)]
        return due[0].fault if due else None

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self._open.add(sock)
        raw = sock
        try:
            fault = self._due("connect")
            if fault:
                fault(sock, self)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            while self._exchange(sock):
                pass
        except (links.Gone, OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(raw)
            links.shut(sock)

    def _exchange(self, sock):
        request = httpwire.read_request(sock)
        if request is None:
            return False
        exchange = self._log(sock, request)
        fault = self._due(exchange.entry.step)
        if not fault:
            exchange.reply(exchange.answer())
            return True
        exchange.entry.fault = getattr(fault, "__qualname__", "fault").split(".")[0]
        fault(exchange)
        return True

    def _log(self, sock, request):
        match = HOP.match(request.path)
        if match:
            request.path = match.group(2)
        entry = Entry(_step(request.path), request, time.monotonic())
        with self._lock:
            self.log.append(entry)
        return Exchange(self, sock, request, entry, int(match.group(1)) if match else 0)


def _step(path):
    return {wire.CHECK_PATH: "check", wire.REPORT_PATH: "report"}.get(path, "package")
