# SPDX-License-Identifier: Apache-2.0
"""Judges signed manifests by our profile: the other half of suit.py, for what the
project's programs make and for the standard's own examples."""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import cbor2

from . import suit
from .wire import WireError, decode, encode

COMMANDS_MAX, NESTING_MAX, ENVELOPE_MAX_BYTES = 64, 4, 1536
UNSIGNED = {suit.FETCH, suit.INSTALL, suit.TEXT}  # members of the envelope that may be severed
KNOWN = {1, 2, 3, 5, 6, 14, 24, 12, 15, 18, 20, 21, 22, 23, 31, 32}
PARAMETERS = {1, 2, 3, 5, 12, 13, 14, 18, 21, 22, 23, 24, 25}


class Refused(Exception):
    """An envelope that our profile does not allow, or that nobody trusted has signed."""


@dataclass
class Found:
    """What a manifest says, once it may be believed."""

    sequence: int
    keys: list  # the trusted keys that signed it
    parameters: dict = field(default_factory=dict)
    met: list = field(default_factory=list)  # conditions and fetches, in order
    texts: dict = field(default_factory=dict)

    @property
    def digest(self):
        return decode(self.parameters[suit.DIGEST])[1]

    @property
    def size(self):
        return self.parameters[suit.SIZE]

    @property
    def uri(self):
        return self.parameters.get(suit.URI)


def public_key(pem):
    """Something with `point` and `kid` from a PEM."""
    key = serialization.load_pem_public_key(pem)
    point = suit.point_of(key)
    return type("PublicKey", (), {"public": key, "point": point, "kid": suit.key_id(point)})()


def read(data, keys):
    """What an envelope says; Refused if it may not be believed."""
    try:
        return _read(data, keys)
    except (WireError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Refused(f"not of the form: {error!r}") from error


def _need(is_so, what):
    if not is_so:
        raise Refused(what)


def _read(data, keys):
    _need(len(data) <= ENVELOPE_MAX_BYTES, "too large")
    item = decode(data)
    _need(isinstance(item, cbor2.CBORTag) and item.tag == suit.ENVELOPE_TAG, "no envelope")
    outer = item.value
    signers = _signers(decode(outer[suit.WRAPPER]), outer[suit.MANIFEST], keys)
    _need(signers, "no trusted key signed it")
    parts = decode(outer[suit.MANIFEST])
    _take_severed(parts, outer)
    _need(parts[suit.VERSION] == 1, "manifest version")
    return _understand(parts, Found(parts[suit.SEQUENCE], signers))


def _signers(wrapper, manifest, keys):
    digest, *blocks = wrapper
    _need(digest == suit.suit_digest(encode(manifest)), "the manifest's digest")
    return [key for key in keys if any(_has_signed(key, block, digest) for block in blocks)]


def _has_signed(key, block, digest):
    sign1 = decode(block)
    if not isinstance(sign1, cbor2.CBORTag) or sign1.tag != suit.SIGN1_TAG:
        return False
    protected, header, payload, signature = sign1.value
    if decode(protected) != {1: suit.ES256} or payload is not None or header not in ({}, {4: key.kid}):
        return False
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.public.verify(der, suit.to_sign(protected, digest), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return len(signature) == 64


def _take_severed(parts, outer):
    for key in set(outer) & UNSIGNED:
        _need(parts[key] == [suit.SHA256, hashlib.sha256(encode(outer[key])).digest()], "a severed member")
        parts[key] = outer[key]


def _understand(parts, found):
    common = decode(parts[suit.COMMON])
    _need(common[suit.COMPONENTS] == [list(suit.COMPONENT)], "one component, and it is 00")
    places = [common[suit.SHARED]] + [parts.get(key) for key in (suit.FETCH, suit.INSTALL, suit.VALIDATE)]
    idle = [parts.get(key) for key in (suit.LOAD, suit.INVOKE)]
    count = sum(_count(place) for place in places + idle if place is not None)
    _need(count <= COMMANDS_MAX, f"{count} commands")
    for place in places:
        if place is not None:
            _run(place, found)
    if suit.TEXT in parts:
        language = next(iter(decode(parts[suit.TEXT]).values()))
        found.texts = language[suit.COMPONENT]
    return found


def _pairs(sequence):
    items = decode(sequence)
    _need(len(items) % 2 == 0, "a command without an argument")
    return list(zip(items[::2], items[1::2]))


def _inner(command, argument):
    """The sequences inside a command."""
    if command == suit.RUN_SEQUENCE:
        return [argument]
    return [each for each in argument if each is not None] if command == suit.TRY_EACH else []


def _count(sequence, level=0):
    """Commands of a sequence and of those inside it, all of which are looked at."""
    _need(level <= NESTING_MAX, "nesting")
    count = 0
    for command, argument in _pairs(sequence):
        _need(command in KNOWN, f"command {command}")
        _need(command != suit.OVERRIDE or set(argument) <= PARAMETERS, "a parameter")
        count += 1 + sum(_count(each, level + 1) for each in _inner(command, argument))
    return count


def _run(sequence, found):
    """Straight on: what a try-each would choose is not this reader's business, so it takes the first."""
    for command, argument in _pairs(sequence):
        if command == suit.OVERRIDE:
            found.parameters |= argument
        elif command in (suit.RUN_SEQUENCE, suit.TRY_EACH):
            _run(_inner(command, argument)[0], found)
        else:
            found.met.append(command)
