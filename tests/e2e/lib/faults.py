# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with one exchange. Each function makes a fault for
FaultServer.rule(); a fault gets the exchange and does as it likes with it."""

import re
import select
import time

from . import links, wire
from .httpwire import Answer

PACE_S = 0.01
SETTLE_S = 0.05  # what was sent arrives before the connection ends


# Faults of a connection, before anything is read.

def refuse(sock, _):
    """RST when the first bytes arrive, none of which is read: the request breaks while
    it is sent. (Any earlier, and the peer may take it for a connection that failed.)"""
    select.select([sock], [], [], 5)
    links.reset(sock)
    raise links.Gone


def silent(_, server):
    """Accepts, and neither reads nor says anything."""
    server.stopping.wait()
    raise links.Gone


# Faults of the whole answer.

def reset():
    """RST after the request was read, before any byte of the answer."""
    def fault(x):
        x.reset()
    return fault


def close():
    """FIN before any byte of the answer."""
    def fault(x):
        x.close()
    return fault


def swallow():
    """The platform gets the request and answers; the answer is lost."""
    def fault(x):
        x.answer().read()
        x.close()
    return fault


def stall(until=None):
    """No byte of an answer, on an open connection."""
    def fault(x):
        x.hold(until)
    return fault


def garbage():
    """Bytes that are not HTTP."""
    def fault(x):
        x.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 SSH-2.0-something\r\n\r\n" * 8)
        x.close()
    return fault


def status(code, body=b"<html>no</html>", **headers):
    """Another answer altogether."""
    def fault(x):
        x.reply(Answer.of(code, body, **({"Content_Type": "text/html"} | headers)))
    return fault


def late(seconds):
    """What was the right answer some time ago."""
    def fault(x):
        x.answer()
        time.sleep(seconds)
        x.reply(x.answer())
    return fault


def delay(seconds):
    """The right answer, given late."""
    def fault(x):
        time.sleep(seconds)
        x.reply(x.answer())
    return fault


def held(until):
    """The right answer, when the event `until` is set."""
    def fault(x):
        until.wait(60)
        x.reply(x.answer())
    return fault


def http10(cut_after=None, extra=b""):
    """HTTP/1.0 without a length: the end of the connection is the end of the body, be
    it early, or with `extra` behind."""
    def fault(x):
        answer = x.answer()
        x.send_head(answer, version="1.0", length=False)
        for piece in _pieces(answer.chunks, answer.length if cut_after is None else cut_after, None):
            x.send_body(piece)
        if extra:
            x.send_body(extra)
        x.close()
    return fault


def chunked():
    """HTTP/1.1 in chunks, whose sizes nobody can guess."""
    def fault(x):
        answer = x.answer()
        answer.headers = dict(answer.headers, **{"Transfer-Encoding": "chunked"})
        x.send_head(answer, length=False)
        for at, piece in enumerate(_pieces(answer.chunks, answer.length, 1 << 30)):
            for part in (piece[:at + 1], piece[at + 1:]):
                if part:
                    x.send(b"%x\r\n" % len(part))
                    x.send_body(part)
                    x.send(b"\r\n")
        x.send(b"0\r\n\r\n")
    return fault


# Faults of answers to POST.

def edit(change):
    """The body goes through `change(body, request)`."""
    def fault(x):
        answer = x.answer()
        x.reply(answer.with_body(change(answer.read(), x.request)))
    return fault


def tamper(bit):
    """One bit of the body turned; negative counts from the end."""
    def change(body, _):
        data = bytearray(body)
        at = bit % (len(data) * 8)
        data[at // 8] ^= 1 << (at % 8)
        return bytes(data)
    return edit(change)


def forged(secret):
    """The right payload, sealed with another secret."""
    def change(body, request):
        kid, payload, _, _ = wire.take_apart(body)
        _, _, tag, _ = wire.take_apart(request.body)
        return wire.seal(secret, kid, payload, aad=tag)
    return edit(change)


def replay(old):
    """The answer that an earlier request got."""
    return edit(lambda body, request: old)


def oversized(size):
    """`size` bytes of the right type."""
    return edit(lambda body, request: b"\xd1" + bytes(size - 1))


def endless():
    """The right type and a body without an end."""
    def fault(x):
        x.send_head(Answer(200, {"Content-Type": wire.CONTENT_TYPE, "Connection": "close"}), length=False)
        while not x.server.stopping.is_set():
            x.send_body(bytes(4096))
    return fault


def wrong_type(kind="text/html"):
    """The right body under another content type."""
    def fault(x):
        answer = x.answer()
        answer.headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-type"}
        answer.headers["Content-Type"] = kind
        x.reply(answer)
    return fault


# Redirects.

def redirect_to(url, code=307):
    """Always to one place."""
    def fault(x):
        x.reply(Answer.of(code, Location=url + x.request.path))
    return fault


def redirect_loop(code=307):
    """To itself, for ever."""
    def fault(x):
        x.reply(Answer.of(code, Location=x.request.path))
    return fault


def redirect_chain(hops, code=307):
    """`hops` redirects, then the right answer."""
    def fault(x):
        if x.hop < hops:
            x.reply(Answer.of(code, Location=f"/~{x.hop + 1}{x.request.path}"))
        else:
            x.reply(x.answer())
    return fault


# Faults of a package's head.

def whole():
    """200 with everything, whatever range was asked for."""
    def fault(x):
        x.request.headers.pop("range", None)
        x.reply(x.answer())
    return fault


def wrong_range(shift):
    """206 whose Content-Range starts `shift` bytes beside what was asked for."""
    def fault(x):
        answer = x.answer()
        answer.headers = dict(answer.headers, **{"Content-Range": _shifted(answer, x, shift)})
        answer.status = 206
        x.reply(answer)
    return fault


def _shifted(answer, x, shift):
    total = x.request.range_start or 0
    total += answer.length
    start = (x.request.range_start or 0) + shift
    return f"bytes {start}-{total - 1}/{total}"


# Faults of a package's body.

def body(rate=None, cut_after=None, end=None, corrupt_at=None, until=None):
    """The right head; then the body at `rate` bytes a second, with the byte at
    `corrupt_at` (counted in the package) turned, and after `cut_after` bytes the
    `end`: "reset", "close" or "stall"."""
    def fault(x):
        answer = x.answer()
        x.send_head(answer)
        left = answer.length if cut_after is None else min(cut_after, answer.length)
        for piece in _pieces(_corrupted(answer, _first_byte(answer), corrupt_at), left, rate):
            x.send_body(piece)
        if end and left < answer.length:
            time.sleep(SETTLE_S)
            {"reset": x.reset, "close": x.close, "stall": lambda: x.hold(until)}[end]()
    return fault


def slow(rate):
    return body(rate=rate)


def _first_byte(answer):
    named = {name.lower(): value for name, value in answer.headers.items()}
    match = re.match(r"bytes (\d+)-", named.get("content-range", ""))
    return int(match.group(1)) if match else 0


def _corrupted(answer, off, corrupt_at):
    for chunk in answer.chunks:
        if corrupt_at is not None and off <= corrupt_at < off + len(chunk):
            data = bytearray(chunk)
            data[corrupt_at - off] ^= 0x40
            chunk = bytes(data)
        yield chunk
        off += len(chunk)


def _pieces(chunks, left, rate):
    """At most `left` bytes of the chunks, in pieces that keep to the rate."""
    begun, sent = time.monotonic(), 0
    step = max(1, int(rate * PACE_S)) if rate else 1 << 20
    for chunk in chunks:
        for at in range(0, len(chunk), step):
            piece = chunk[at:at + step][:left - sent]
            if not piece:
                return
            if rate:
                time.sleep(max(0, begun + sent / rate - time.monotonic()))
            yield piece
            sent += len(piece)
