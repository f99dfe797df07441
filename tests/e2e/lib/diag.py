# SPDX-License-Identifier: Apache-2.0
"""Reads CBOR diagnostic notation (RFC 8949 section 8) as manifests are written in it: numbers,
texts, h'..', lists, maps, tags, false, true, null, << >>, and comments between slashes."""

import json
import re


from .wire import encode

TOKEN = re.compile(r"""/[^/]*/ | \s+ | (?P<token> h'[0-9a-fA-F\s]*' | "(?:[^"\\]|\\.)*" | -?\d+ | <<|>>
                       | [\[\]{}():,] | [a-z]+ )""", re.VERBOSE)
WORDS = {"false": False, "true": True, "null": None}


class DiagError(Exception):
    """Text that is no notation."""


def tokens(text):
    """The text without comments and white space, as a list."""
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise DiagError(f"not understood: {text[at:at + 40]!r}")
        if match["token"]:
            token = match["token"]
            found.append(re.sub(r"\s", "", token) if token.startswith("h'") else token)
        at = match.end()
    return found


def parse(text):
    """The bytes that the text stands for, map entries in the order of the text."""
    reader = _Reader(tokens(text))
    data = reader.item()
    if reader.rest:
        raise DiagError(f"left over: {reader.rest[:5]}")
    return data


def _head(major, value):
    """The shortest head of an item: that of a byte string, with another major type."""
    head = encode(value)
    return bytes([major << 5 | head[0]]) + head[1:]


class _Reader:
    def __init__(self, found):
        self.rest = found

    def take(self, expected=None):
        if not self.rest:
            raise DiagError("ends too early")
        token = self.rest.pop(0)
        if expected and token != expected:
            raise DiagError(f"{token} instead of {expected}")
        return token

    def until(self, end, read):
        """Items with commas between them, up to `end`."""
        found = []
        while self.rest and self.rest[0] != end:
            if found:
                self.take(",")
            found.append(read())
        self.take(end)
        return found

    def pair(self):
        key = self.item()
        self.take(":")
        return key + self.item()

    def number(self, value):
        if self.rest and self.rest[0] == "(":
            self.take()
            inner = self.item()
            self.take(")")
            return _head(6, value) + inner
        return encode(value)

    def item(self):
        token = self.take()
        if token == "[":
            found = self.until("]", self.item)
            return _head(4, len(found)) + b"".join(found)
        if token == "{":
            found = self.until("}", self.pair)
            return _head(5, len(found)) + b"".join(found)
        if token == "<<":
            return encode(b"".join(self.until(">>", self.item)))
        if token.startswith("h'"):
            return encode(bytes.fromhex(token[2:-1]))
        if token.startswith('"'):
            return encode(json.loads(token))
        if re.fullmatch(r"-?\d+", token):
            return self.number(int(token))
        if token in WORDS:
            return encode(WORDS[token])
        raise DiagError(f"{token!r} has no meaning here")
