#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden vectors of what a module stores, with an implementation of CBOR and
CRC-32 that is not ours. usage: tests/vectors/make_session.py (writes next to itself)"""

import hashlib
import struct
import zlib
from pathlib import Path

import cbor2

HERE = Path(__file__).resolve().parent / "session"
TARGET = b"SIM7600M21_LE11_181025_V2.00"


def run(first, count):
    return bytes((first + i) & 255 for i in range(count))


def report(number, state, code, received):
    return {1: b"1540907004", 2: b"f9bbb0d76f894da090b6b69253616561", 3: b"dep-%d" % (number + 1),
            4: run(0xA0 + number, 16), 5: state, 6: code, 7: received}


def image(version, first, size, sequence):
    return {1: version, 2: run(first, 32), 3: size, 4: sequence}


def record():
    return {
        1: {1: b"1540907004", 2: TARGET, 3: run(0x10, 32), 4: 0x123456789, 5: 0x12345000, 6: 0,
            7: b"f9bbb0d76f894da090b6b69253616561", 8: b"dep-3", 9: 12, 10: 1, 11: run(0xC0, 8)},
        2: {1: 513, 2: 3, 3: TARGET},
        3: [report(0, 7, 513, 4096), report(1, 3, 3, 0x123456789)],
        4: {1: 3, 2: 0, 3: 2, 4: 11, 5: [image(b"V1", 0x30, 0, 0), image(TARGET, 0x50, 0x123456789, 12)],
            6: {1: 508, 2: 1, 3: b"V1", 4: TARGET}},
    }


def before_slots():
    """As it was written before there were two slots and signed packages."""
    made = record()
    del made[4]
    for key in (7, 8, 9, 10, 11):
        del made[1][key]
    return made


def newer():
    """The same with keys that version 1 does not know, in each of its maps."""
    made = record()
    made[1][12] = [1, "two", {3: None}]
    made[2][200] = True
    made[3][1][8] = b"x" * 30
    made[4][7] = 0
    made[4][5][1][5] = b""
    made[4][6][5] = "why"
    made[5] = {"text": 1}
    return made


def entry(kind, seq, payload, prog_bytes):
    head = struct.pack("<HBBIHH", 0x4A46, 1, kind, seq, len(payload), 0)
    made = head + payload
    made += struct.pack("<I", zlib.crc32(made))
    return made + b"\xff" * (-len(made) % prog_bytes)


def journal():
    """Two halves of 4096 bytes, programmed in units of 16: an older snapshot in the
    second, a newer one with two progress entries in the first."""
    old = record()
    old[1][5] = 0
    first = entry(1, 7, cbor2.dumps(record(), canonical=True), 16)
    first += entry(2, 8, struct.pack("<Q", 0x12346000), 16)
    first += entry(2, 9, struct.pack("<Q", 0x12347000), 16)
    second = entry(1, 6, cbor2.dumps(old, canonical=True), 16)
    return first.ljust(4096, b"\xff") + second.ljust(4096, b"\xff")


TRIAL_IMAGE = run(0, 256) * 40  # in slot 1, on trial
TRIAL_OLD = run(0x80, 128) * 70  # in slot 0, confirmed


def hashed(version, content, sequence):
    return {1: version, 2: hashlib.sha256(content).digest(), 3: len(content), 4: sequence}


def trial():
    """A module that was started once with a new version: the journal's second half is the
    start, the first one is what was armed before. Slots are TRIAL_OLD and TRIAL_IMAGE. And
    the journal behind the next start."""
    armed = record()
    armed[1] = {1: b"1540907004", 2: TARGET, 3: hashlib.sha256(TRIAL_IMAGE).digest(), 4: len(TRIAL_IMAGE),
                5: len(TRIAL_IMAGE), 6: 1, 7: b"f9bbb0d76f894da090b6b69253616561", 8: b"dep-3", 9: 12, 10: 1, 11: run(0xC0, 8)}
    armed[2] = {1: 3, 2: 4, 3: TARGET}
    armed[3] = []
    images = [hashed(b"SIM7600M21_LE11_181025_V1.00", TRIAL_OLD, 11), hashed(TARGET, TRIAL_IMAGE, 12)]
    armed[4] = {1: 2, 2: 0, 3: 3, 4: 11, 5: images, 6: {}}
    started = dict(armed)
    started[4] = {1: 3, 2: 0, 3: 2, 4: 11, 5: images, 6: {1: 0, 2: 0, 3: images[0][1], 4: TARGET}}
    first = entry(1, 21, cbor2.dumps(armed, canonical=True), 16)
    second = entry(1, 22, cbor2.dumps(started, canonical=True), 16)
    started_again = dict(started)
    started_again[4] = {**started[4], 3: 1}
    third = entry(1, 23, cbor2.dumps(started_again, canonical=True), 16)
    halves = [half.ljust(4096, b"\xff") for half in (first, second, third)]
    return halves[0] + halves[1], halves[2] + halves[1]


def write(name, data):
    lines = [data[at:at + 32].hex() for at in range(0, len(data), 32)]
    (HERE / name).write_text("\n".join(lines) + "\n")


def main():
    HERE.mkdir(exist_ok=True)
    write("record.hex", cbor2.dumps(record(), canonical=True))
    write("record_newer.hex", cbor2.dumps(newer(), canonical=True))
    write("record_before_slots.hex", cbor2.dumps(before_slots(), canonical=True))
    write("journal.hex", journal())
    for name, data in zip(("journal_trial.hex", "journal_trial_next.hex"), trial()):
        write(name, data)


if __name__ == "__main__":
    main()
