#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/vectors/suit/made.txt and the key that verifies it: envelopes in the manner of
the examples of draft-ietf-suit-manifest and others, encoded and signed by cbor2 and
cryptography alone, so that two implementations must agree. usage: tests/vectors/make_suit.py

A line holds one envelope: its name, what fota_suit_get, _verify and _plan give for it (errors
of fota/err.h), the slot that is planned for, whether an image is fetched, its size, its URI
or -, and the bytes in hex. ECDSA is random: each run makes other signatures and another key."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))

from lib import suit  # noqa: E402
from lib.wire import encode  # noqa: E402

HERE = TESTS / "vectors" / "suit"
VENDOR = bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")  # of the draft's examples
CLASS = bytes.fromhex("1492af1425695e48bf429b2d51f2ab45")
DIGEST = encode([suit.SHA256, bytes.fromhex("00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210")])
OTHER_DIGEST = encode([suit.SHA256, bytes.fromhex("0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff")])
SIZE, OTHER_SIZE = 34768, 76834
IDS = [suit.IF_VENDOR, 15, suit.IF_CLASS, 15]
WHOLE = {suit.VENDOR: VENDOR, suit.CLASS: CLASS, suit.DIGEST: DIGEST, suit.SIZE: SIZE}
FETCH = [suit.FETCH_IT, 2, suit.IF_IMAGE, 15]
MATCH = [suit.IF_IMAGE, 15]
INVOKE = [23, 2]
SLOT, IF_SLOT, SET_INDEX, COPY, SOURCE, ABORT = 5, 5, 12, 22, 22, 14
LONG_URI = "http://example.com/very/long/path/to/file/file.bin"
KEY, STRANGER = suit.Key(), suit.Key()
OK = ("OK", "OK", "OK")


def override(parameters):
    return [suit.OVERRIDE, parameters]


def draft(number, shared=None, components=((b"\0",),), **more):
    """The members of a manifest like the draft's example `number`."""
    names = {"validate": suit.VALIDATE, "load": suit.LOAD, "invoke": suit.INVOKE, "fetch": suit.FETCH,
             "install": suit.INSTALL, "text": suit.TEXT, "reference": suit.REFERENCE}
    common = {suit.COMPONENTS: [list(name) for name in components],
              suit.SHARED: override(WHOLE) + IDS if shared is None else shared}
    return {suit.VERSION: 1, suit.SEQUENCE: number, suit.COMMON: common} | {names[k]: v for k, v in more.items()}


def on_slot(slot, parameters):
    return encode(override({SLOT: slot}) + [IF_SLOT, 5] + override(parameters))


TEXT = {"en": {1: "## Example 2: Simultaneous Download, Installation, Secure Boot, Severed Fields",
               (b"\0",): {3: "arm.com", 5: "This component is a demonstration."}}}
EXAMPLE2 = draft(2, validate=MATCH, invoke=INVOKE, install=override({suit.URI: LONG_URI}) + FETCH, text=TEXT)
EXAMPLE3 = draft(
    3, override({suit.VENDOR: VENDOR, suit.CLASS: CLASS}) + [suit.TRY_EACH, [
        on_slot(0, {suit.DIGEST: DIGEST, suit.SIZE: SIZE}),
        on_slot(1, {suit.DIGEST: OTHER_DIGEST, suit.SIZE: OTHER_SIZE})]] + IDS,
    validate=MATCH,
    install=[suit.TRY_EACH, [on_slot(0, {suit.URI: "http://example.com/file1.bin"}),
                             on_slot(1, {suit.URI: "http://example.com/file2.bin"})]] + FETCH)
EXAMPLE4 = draft(
    4, [SET_INDEX, 0] + override(WHOLE) + IDS, ((b"\0",), (b"\2",), (b"\1",)), validate=[SET_INDEX, 0] + MATCH,
    load=[SET_INDEX, 2] + override({suit.DIGEST: OTHER_DIGEST, suit.SIZE: OTHER_SIZE, SOURCE: 0}) + [COPY, 2] + MATCH,
    invoke=[SET_INDEX, 2] + INVOKE,
    fetch=[SET_INDEX, 1] + override({suit.DIGEST: DIGEST, suit.URI: "http://example.com/file.bin"}) + FETCH,
    install=[SET_INDEX, 0] + override({SOURCE: 1}) + [COPY, 2] + MATCH)
EXAMPLE5 = draft(
    5, [SET_INDEX, 0] + override(WHOLE) + IDS + [SET_INDEX, 1] +
    override({suit.DIGEST: OTHER_DIGEST, suit.SIZE: OTHER_SIZE}), ((b"\0",), (b"\1",)),
    validate=[SET_INDEX, 0] + MATCH + [SET_INDEX, 1] + MATCH, invoke=[SET_INDEX, 0] + INVOKE,
    install=[SET_INDEX, 0] + override({suit.URI: "http://example.com/file1.bin"}) + FETCH +
    [SET_INDEX, 1] + override({suit.URI: "http://example.com/file2.bin"}) + FETCH)
PLAIN = draft(6, validate=MATCH, install=FETCH)


def nested(depth, is_try):
    inner = FETCH
    for _ in range(depth):
        inner = [suit.TRY_EACH, [encode(inner), None]] if is_try else [suit.RUN_SEQUENCE, encode(inner)]
    return draft(7, install=inner)


def seal(members, keys=(KEY,), severed=(), lost=(), payloads=None):
    data, outside = suit.manifest(members, severed)
    for key in lost:
        del outside[key]
    return suit.envelope(suit.seal(data, keys, outside | (payloads or {})))


def rows():
    """(name, results, slot, is fetched, size, URI, envelope)"""
    cut = (suit.INSTALL, suit.TEXT)
    image = (True, SIZE, "-")
    refused = ("UNSUPPORTED", "-", "-")
    yield "draft_2", OK, 0, True, SIZE, LONG_URI, seal(EXAMPLE2, severed=cut)
    yield "draft_2_text_cut", OK, 0, True, SIZE, LONG_URI, seal(EXAMPLE2, severed=cut, lost=(suit.TEXT,))
    yield "draft_2_all_cut", OK, 0, False, SIZE, "-", seal(EXAMPLE2, severed=cut, lost=cut)
    yield "draft_3_slot_0", OK, 0, True, SIZE, "http://example.com/file1.bin", seal(EXAMPLE3)
    yield "draft_3_slot_1", OK, 1, True, OTHER_SIZE, "http://example.com/file2.bin", seal(EXAMPLE3)
    yield "draft_3_slot_2", ("OK", "OK", "CORRUPT"), 2, False, 0, "-", seal(EXAMPLE3)
    yield "draft_4", refused, 0, False, 0, "-", seal(EXAMPLE4)
    yield "draft_5", refused, 0, False, 0, "-", seal(EXAMPLE5)
    yield "plain", OK, 0, *image, seal(PLAIN)
    yield "no_kid", OK, 0, *image, seal(PLAIN, [KEY.anonymous()])
    yield "two_keys", OK, 0, *image, seal(PLAIN, [STRANGER, KEY])
    yield "strangers_key", ("OK", "AUTH", "OK"), 0, *image, seal(PLAIN, [STRANGER])
    yield "strangers_key_claiming", ("OK", "AUTH", "OK"), 0, *image, seal(PLAIN, [STRANGER.claiming(KEY)])
    yield "no_signature", ("OK", "AUTH", "OK"), 0, *image, seal(PLAIN, [])
    yield "block_of_nobody", OK, 0, *image, seal(PLAIN, [suit.Bytes(b"\xf6"), KEY])
    yield "payload", OK, 0, *image, seal(PLAIN, payloads={"#image": b"bytes"})
    yield "reference", OK, 0, *image, seal(PLAIN | {suit.REFERENCE: "http://example.com/manifest"})
    yield "load_and_invoke", OK, 0, *image, seal(PLAIN | {suit.LOAD: override({SOURCE: 0}) + [COPY, 2],
                                                          suit.INVOKE: INVOKE})
    yield "abort", ("OK", "OK", "CORRUPT"), 0, False, 0, "-", seal(PLAIN | {suit.VALIDATE: [ABORT, 15]})
    yield "copy", ("OK", "OK", "UNSUPPORTED"), 0, False, 0, "-", seal(PLAIN | {suit.INSTALL: [COPY, 2]})
    yield "unknown_command", refused, 0, False, 0, "-", seal(PLAIN | {suit.LOAD: [99, 2]})
    yield "unknown_member", refused, 0, False, 0, "-", seal(PLAIN | {18: b"\0"})
    for is_try in (False, True):
        name = "try_each" if is_try else "run_sequence"
        yield f"{name}_4_deep", OK, 0, *image, seal(nested(4, is_try))
        yield f"{name}_5_deep", refused, 0, False, 0, "-", seal(nested(5, is_try))
    for count in (64, 65):  # three in shared, one in validate, two in install
        more = draft(8, override(WHOLE) + IDS + [suit.IF_VENDOR, 15] * (count - 6), validate=MATCH, install=FETCH)
        yield f"commands_{count}", *((OK, 0, *image) if count == 64 else (refused, 0, False, 0, "-")), seal(more)


def main():
    lines = ["# Made by tests/vectors/make_suit.py, which says what is in a line."]
    for name, results, slot, is_fetched, size, uri, data in rows():
        lines.append(f"{name} {' '.join(results)} {slot} {int(is_fetched)} {size} {uri} {data.hex()}")
    (HERE / "made.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (HERE / "made_key_public.pem").write_bytes(KEY.pem)


if __name__ == "__main__":
    main()
