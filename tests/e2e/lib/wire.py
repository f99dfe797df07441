# SPDX-License-Identifier: Apache-2.0
"""Device API version 1, written in Python from the specification alone.

A second implementation beside the one in core/: where both agree on every
message of a session, the specification is what they have in common. It uses
cbor2 and hmac, nothing of the project.
"""

import hashlib
import hmac
import io

import cbor2

CONTENT_TYPE = 'application/cose; cose-type="cose-mac0"'
CHECK_PATH = "/device/v1/check"
REPORT_PATH = "/device/v1/report"

# docs/device-api.cddl: one name space of keys for all messages.
FIELDS = dict(enumerate((
    "nonce", "time", "oem", "model", "device", "version", "target", "slot", "accept", "attributes",
    "result", "deployment", "manifest", "url", "size", "digest", "encoding", "retry_after",
    "id", "state", "code", "received"), start=1))
KEYS = {name: key for key, name in FIELDS.items()}


class WireError(Exception):
    """A message that the specification does not allow."""


def encode(value):
    """Deterministic CBOR (RFC 8949 section 4.2.1)."""
    return cbor2.dumps(value, canonical=True)


def decode(data):
    """One item and nothing after it, in deterministic form."""
    stream = io.BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream).decode()
    except Exception as error:
        raise WireError(f"not CBOR: {error}") from error
    if stream.read(1):
        raise WireError("bytes after the item")
    if encode(value) != data:
        raise WireError("not deterministic")
    return value


def named(payload):
    """A decoded payload with names in place of keys; unknown keys stay numbers."""
    return {FIELDS.get(key, key): value for key, value in decode(payload).items()}


def keyed(message):
    """The inverse of named(): the payload of a map of names. Other keys stay as they are."""
    return encode({KEYS.get(name, name): value for name, value in message.items()})


def _mac(secret, protected, aad, payload):
    structure = encode(["MAC0", protected, aad, payload])
    return hmac.new(secret, structure, hashlib.sha256).digest()


def seal(secret, kid, payload, aad=b""):
    """A COSE_Mac0 around `payload` (bytes)."""
    protected = encode({1: 5, 4: kid})
    tag = _mac(secret, protected, aad, payload)
    return encode(cbor2.CBORTag(17, [protected, {}, payload, tag]))


def take_apart(message):
    """(kid, payload, tag, protected) of a COSE_Mac0 that nobody has checked."""
    item = decode(message)
    if not isinstance(item, cbor2.CBORTag) or item.tag != 17:
        raise WireError("not a COSE_Mac0")
    protected, unprotected, payload, tag = item.value
    header = decode(protected)
    if header.get(1) != 5 or set(header) != {1, 4} or unprotected:
        raise WireError("not the headers of the device API")
    return header[4], payload, tag, protected


def unseal(secret, message, aad=b""):
    """The payload, if the message was sealed with `secret` and `aad`."""
    _, payload, tag, protected = take_apart(message)
    if not hmac.compare_digest(tag, _mac(secret, protected, aad, payload)):
        raise WireError("the tag does not match")
    return payload
