# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 by hand: the few lines that a server needs that must be able to break
every rule of it. Requests and answers are plain data."""

import http
import re
from dataclasses import dataclass, field

HEAD_MAX_BYTES = 16384


@dataclass
class Request:
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes = b""

    @property
    def range_start(self):
        """First byte asked for; None without a Range header."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        return int(match.group(1)) if match else None


@dataclass
class Answer:
    status: int
    headers: dict = field(default_factory=dict)
    chunks: object = ()  # an iterable of bytes
    length: int = 0

    @classmethod
    def of(cls, status, body=b"", **headers):
        """An answer with a body in memory; header names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, named, [body] if body else [], len(body))

    def read(self):
        """The whole body, which can be sent afterwards as well."""
        body = b"".join(self.chunks)
        self.chunks = [body] if body else []
        return body

    def with_body(self, body):
        return Answer(self.status, dict(self.headers), [body] if body else [], len(body))


def read_request(sock):
    """The next request of a connection; None at its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more or len(data) > HEAD_MAX_BYTES:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        name, value = line.split(":", 1)
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers, _read_body(sock, headers, body))


def _read_body(sock, headers, body):
    length = int(headers.get("content-length", 0))
    if headers.get("expect", "").lower() == "100-continue" and len(body) < length:
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < length:
        more = sock.recv(min(65536, length - len(body)))
        if not more:
            break
        body += more
    return body


def head_bytes(answer, version="1.1", length=True):
    """Status line and headers of an answer, with the empty line."""
    try:
        reason = http.HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/{version} {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if length:
        lines.append(f"Content-Length: {answer.length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
