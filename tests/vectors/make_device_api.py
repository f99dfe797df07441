#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden messages of device API version 1 with python's cbor2 and hmac, so that
two implementations must agree. usage: tests/vectors/make_device_api.py

A file holds one message: what it says, its payload, tag and bytes in hex. Those with
"error" must be refused with that error of fota/err.h; `check_request` and the other
kinds name the decoder of the payload."""

import hashlib
import hmac
import json
from pathlib import Path

import cbor2

HERE = Path(__file__).resolve().parent / "device_api"
PRODUCT = "1540907004"
SECRET = "f9bbb0d76f894da090b6b69253616561"
KEYS = {name: number for number, name in enumerate(
    ("nonce time oem model device version target slot accept attributes result deployment manifest url size digest "
     "encoding retry_after id state code received").split(), start=1)}
NONCE = bytes(range(16))
REPORT_ID = bytes(range(0xF0, 0x100))
DIGEST = hashlib.sha256(b"image").digest()
REQUEST_TAG = hashlib.sha256(b"the request").digest()
CHECK = {"nonce": NONCE, "time": 1700000000, "oem": "SIMCOM", "model": "7600M21", "device": "861234050012345",
         "version": "SIM7600M21_V1.00", "target": "SIM7600M21_LE11_181025_V2.00", "slot": 536870912, "accept": [0]}
ATTRIBUTES = {"hw": "1.2", "operator": "26201", "signal": "-71", "battery": "88", "Größe": "größer"}
UPDATE = {"result": 0, "time": 1700000003, "deployment": "d-17", "manifest": b"", "url": "/p/5f/image?e=1&m=2",
          "size": 268435456, "digest": DIGEST, "encoding": 0}
REPORT = {"nonce": NONCE, "time": 1700000000, "device": "861234050012345", "deployment": "d-17", "id": REPORT_ID,
          "state": 3, "version": "SIM7600M21_V1.00"}


def encode(fields):
    return cbor2.dumps({KEYS.get(name, name): value for name, value in fields.items()}, canonical=True)


def seal(payload, aad, kid=PRODUCT, key=SECRET, alg=5, tag_number=17, protected=None, unprotected=None):
    header = cbor2.dumps({1: alg, 4: kid.encode()}, canonical=True) if protected is None else protected
    to_be_maced = cbor2.dumps(["MAC0", header, aad, payload], canonical=True)
    tag = hmac.new(key.encode(), to_be_maced, hashlib.sha256).digest()
    body = [header, unprotected or {}, payload, tag]
    return cbor2.dumps(cbor2.CBORTag(tag_number, body), canonical=True), tag


def readable(value):
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, int) and value >= 2**63:
        return str(value)  # more than most readers of JSON can take
    return {str(k): readable(v) for k, v in value.items()} if isinstance(value, dict) else value


def write(name, kind, message, payload, tag, aad, fields=None, error=None):
    row = {"kind": kind, "error": error} if error else {"kind": kind}
    row |= {"product": PRODUCT, "secret": SECRET, "external_aad": aad.hex()}
    if fields is not None:
        row["fields"] = {key: readable(value) for key, value in fields.items()}
    row |= {"payload": payload.hex(), "tag": tag.hex(), "message": message.hex()}
    (HERE / f"{name}.json").write_text(json.dumps(row, indent=2, ensure_ascii=False) + "\n")


def golden(name, kind, fields):
    aad = b"" if kind.endswith("request") else REQUEST_TAG
    payload = encode(fields)
    message, tag = seal(payload, aad)
    write(name, kind, message, payload, tag, aad, fields)


def bad(name, error, fields=CHECK, payload=None, message=None, kind="check_request", **seal_words):
    """A message that is refused; what is not given is as it should be."""
    aad = seal_words.pop("aad", b"" if kind.endswith("request") else REQUEST_TAG)
    payload = encode(fields) if payload is None else payload
    made, tag = seal(payload, aad, **seal_words)
    write("bad_" + name, kind, made if message is None else message(made), payload, tag,
          b"" if kind.endswith("request") else REQUEST_TAG, error=error)


def flip(at):
    return lambda made: made[:at % len(made)] + bytes([made[at] ^ 1]) + made[at % len(made) + 1:]


def goldens():
    golden("check_request", "check_request", CHECK)
    golden("check_request_no_time", "check_request", CHECK | {"time": 0})
    golden("check_request_full", "check_request",
           CHECK | {"oem": "O" * 64, "model": "ü" * 32, "device": "d" * 64, "version": "v" * 128, "target": "t" * 128,
                    "slot": 2**64 - 1, "accept": [0, 1, 23, 24, 255], "attributes": ATTRIBUTES})
    golden("check_answer_update", "check_answer", UPDATE)
    golden("check_answer_update_full", "check_answer",
           UPDATE | {"url": "https://cdn.example/" + "u" * 235, "manifest": bytes(range(256)) * 3, "size": 2**64 - 1,
                     "encoding": 7, "retry_after": 3600})
    for number in range(1, 9):
        more = {"retry_after": 30} if number == 8 else {}
        golden(f"check_answer_refusal_{number}", "check_answer", {"result": number, "time": 1700000003} | more)
    for state in range(1, 9):
        code = {3: {"code": 3}, 7: {"code": 513}, 8: {"code": 307}}.get(state, {})
        received = {"received": 0} if state == 2 else {"received": 2**40} if state == 7 else {}
        golden(f"report_request_state_{state}", "report_request", REPORT | {"state": state} | code | received)
    golden("report_answer", "report_answer", {"result": 0, "time": 1700000003})
    golden("report_answer_busy", "report_answer", {"result": 8, "time": 1700000003, "retry_after": 60})


def negatives():
    bad("tag_changed", "AUTH", message=flip(-1))
    bad("payload_changed", "AUTH", message=flip(40))
    bad("other_key", "AUTH", key="x" * 32)
    bad("request_with_aad", "AUTH", aad=REQUEST_TAG)
    bad("answer_without_aad", "AUTH", fields=UPDATE, kind="check_answer", aad=b"")
    bad("answer_to_another", "AUTH", fields=UPDATE, kind="check_answer", aad=hashlib.sha256(b"other").digest())
    bad("untagged", "FORMAT", message=lambda made: made[1:])
    bad("tag_18", "FORMAT", tag_number=18)
    bad("alg_4", "FORMAT", alg=4)
    bad("alg_6", "FORMAT", alg=6)
    bad("no_kid", "FORMAT", protected=cbor2.dumps({1: 5}))
    bad("empty_kid", "FORMAT", kid="")
    bad("long_kid", "FORMAT", kid="1" * 21)
    bad("more_in_protected", "FORMAT", protected=cbor2.dumps({1: 5, 4: PRODUCT.encode(), 5: b"iv"}))
    bad("empty_protected", "FORMAT", protected=b"")
    bad("unprotected_kid", "FORMAT", unprotected={4: PRODUCT.encode()})
    bad("trailing_byte", "FORMAT", message=lambda made: made + b"\0")
    bad("cut", "FORMAT", message=lambda made: made[:-1])
    bad("empty", "FORMAT", message=lambda made: b"")
    bad("short_tag", "FORMAT", message=lambda made: made[:-33 - 1] + b"\x58\x1f" + made[-31:])
    bad("long_tag_number", "FORMAT", message=lambda made: b"\xd8\x11" + made[1:])
    bad("indefinite_payload_map", "FORMAT", payload=b"\xbf" + encode(CHECK)[1:] + b"\xff")
    bad("unsorted_payload", "FORMAT", payload=b"\xa2" + b"\x02\x00" + b"\x01\x50" + NONCE)
    bad("key_twice", "FORMAT", payload=b"\xa2" + b"\x02\x00" + b"\x02\x00")
    bad("float_time", "FORMAT", fields=CHECK | {"time": 1.5})
    bad("text_time", "FORMAT", fields=CHECK | {"time": "now"})
    bad("long_oem", "RANGE", fields=CHECK | {"oem": "O" * 65})
    bad("empty_target", "RANGE", fields=CHECK | {"target": ""})
    bad("no_device", "MISSING", fields={k: v for k, v in CHECK.items() if k != "device"})
    bad("seventeen_attributes", "RANGE", fields=CHECK | {"attributes": {f"a{i:02}": "" for i in range(17)}})
    bad("update_without_url", "MISSING", fields={k: v for k, v in UPDATE.items() if k != "url"}, kind="check_answer")
    bad("update_size_0", "RANGE", fields=UPDATE | {"size": 0}, kind="check_answer")
    bad("report_state_9", "RANGE", fields=REPORT | {"state": 9}, kind="report_request")


def main():
    HERE.mkdir(exist_ok=True)
    for old in HERE.glob("*.json"):
        old.unlink()
    goldens()
    negatives()


if __name__ == "__main__":
    main()
