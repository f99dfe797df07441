# SPDX-License-Identifier: Apache-2.0
"""Makes signed manifests, right ones and wrong ones.

Written from the standard and our profile of it alone, with cbor2 and
cryptography; it shares nothing with the C code. `package()` is the whole way from
an image to an envelope. What a test wants wrong it changes in between: `change`
gets the manifest's members before they are encoded and signed, `outside` the
envelope's members behind the signature.
"""

import hashlib
import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import cbor2

from .wire import encode

ENVELOPE_TAG, SIGN1_TAG = 107, 18
WRAPPER, MANIFEST = 2, 3  # members of the envelope
VERSION, SEQUENCE, COMMON, REFERENCE, VALIDATE, LOAD, INVOKE, FETCH, INSTALL, TEXT = 1, 2, 3, 4, 7, 8, 9, 16, 20, 23
COMPONENTS, SHARED = 2, 4  # members of common
WRAPPED = (COMMON, VALIDATE, LOAD, INVOKE, FETCH, INSTALL, TEXT)
SHA256, ES256 = -16, -7
POINT_BYTES = 64
# Parameters, conditions, directives.
VENDOR, CLASS, DIGEST, SIZE, URI = 1, 2, 3, 14, 21
IF_VENDOR, IF_CLASS, IF_IMAGE = 1, 2, 3
TRY_EACH, OVERRIDE, FETCH_IT, RUN_SEQUENCE = 15, 20, 21, 32
POLICY = 15  # what is reported of a condition: everything
COMPONENT = (b"\0",)
TEXT_VENDOR, TEXT_MODEL, TEXT_VERSION = 1, 2, 6


class Key:
    """An ECDSA key on P-256 that signs manifests."""

    def __init__(self, private=None, kid=None):
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        self.kid = kid or key_id(self.point)

    @property
    def public(self):
        return self._private.public_key()

    @property
    def point(self):
        return point_of(self.public)

    @property
    def pem(self):
        """The public key as `openssl ec -pubout` writes it."""
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def private_pem(self):
        return self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption())

    def claiming(self, other):
        """This key under another one's ID."""
        return Key(self._private, other.kid)

    def anonymous(self):
        """This key, whose signatures name no key, as those of the draft's examples."""
        return Key(self._private, b"")

    def block(self, digest):
        """The authentication block over an encoded SUIT_Digest. An empty kid is left out."""
        protected = encode({1: ES256})
        r, s = utils.decode_dss_signature(self._private.sign(to_sign(protected, digest), ec.ECDSA(hashes.SHA256())))
        header = {4: self.kid} if self.kid else {}
        return encode(cbor2.CBORTag(SIGN1_TAG, [protected, header, None, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))


@dataclass
class Bytes:
    """A block that is what its bytes are: stands where a Key does."""

    bytes: bytes

    def block(self, _):
        return self.bytes


def point_of(public):
    numbers = public.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def key_id(point):
    return hashlib.sha256(b"\x04" + point).digest()[:8]


def to_sign(protected, digest):
    return encode(["Signature1", protected, b"", digest])


def suit_digest(data):
    """An encoded SUIT_Digest."""
    return encode([SHA256, hashlib.sha256(data).digest()])


def vendor_id(oem):
    return uuid.uuid5(uuid.NAMESPACE_DNS, oem).bytes


def class_id(oem, model):
    return uuid.uuid5(uuid.UUID(bytes=vendor_id(oem)), model).bytes


def members(oem, model, version, image, sequence, uri=None):
    """The manifest's members as plain values, nothing wrapped in byte strings yet."""
    parameters = {VENDOR: vendor_id(oem), CLASS: class_id(oem, model), DIGEST: suit_digest(image), SIZE: len(image)}
    return {
        VERSION: 1, SEQUENCE: sequence,
        COMMON: {COMPONENTS: [list(COMPONENT)],
                 SHARED: [OVERRIDE, parameters, IF_VENDOR, POLICY, IF_CLASS, POLICY]},
        VALIDATE: [IF_IMAGE, POLICY],
        INSTALL: ([OVERRIDE, {URI: uri}] if uri else []) + [FETCH_IT, 2, IF_IMAGE, POLICY],
        TEXT: {"en": {COMPONENT: {TEXT_VENDOR: oem, TEXT_MODEL: model, TEXT_VERSION: version}}},
    }


def manifest(parts, severed=()):
    """(the manifest's bytes, what was severed from it) of members."""
    wrapped = dict(parts)
    common = wrapped.get(COMMON)
    if isinstance(common, dict) and isinstance(common.get(SHARED), list):
        wrapped[COMMON] = common | {SHARED: encode(common[SHARED])}
    for key in WRAPPED:
        if isinstance(wrapped.get(key), (dict, list)):
            wrapped[key] = encode(wrapped[key])
    outside = {key: wrapped[key] for key in severed}
    # The digest of a member is that of its byte string, with the header.
    wrapped |= {key: [SHA256, hashlib.sha256(encode(value)).digest()] for key, value in outside.items()}
    return encode(wrapped), outside


def seal(data, keys, outside=()):
    """The map of an envelope around a manifest's bytes, signed by each key."""
    digest = suit_digest(encode(data))
    wrapper = encode([digest] + [key.block(digest) for key in keys])
    return {WRAPPER: wrapper, MANIFEST: data} | dict(outside)


def envelope(parts):
    return encode(cbor2.CBORTag(ENVELOPE_TAG, parts))


def package(oem, model, version, image, sequence, keys, uri=None, change=None, severed=(), outside=None,
            spell=None):
    """An envelope. `change(members)` and `outside(envelope's map)` work in place;
    `spell(manifest's bytes)` gives the bytes that are signed."""
    parts = members(oem, model, version, image, sequence, uri)
    if change:
        change(parts)
    data, gone = manifest(parts, severed)
    sealed = seal(spell(data) if spell else data, keys, gone)
    if outside:
        outside(sealed)
    return envelope(sealed)


# Changes of members: each makes a function for `change`.

def both(*changes):
    """Several changes, one after the other."""
    def change(parts):
        for each in changes:
            each(parts)
    return change


def member(key, value):
    """A member with another value; None leaves it out."""
    def change(parts):
        parts[key] = value
        if value is None:
            del parts[key]
    return change


def parameter(number, value):
    """A parameter of the shared sequence with another value; None leaves it out."""
    def change(parts):
        parameters = parts[COMMON][SHARED][1]
        parameters[number] = value
        if value is None:
            del parameters[number]
    return change


def image_digest(data):
    """The digest of other bytes."""
    return parameter(DIGEST, suit_digest(data))


def made_for(oem, model):
    """The identifiers of another model; the texts stay."""
    return both(parameter(VENDOR, vendor_id(oem)), parameter(CLASS, class_id(oem, model)))


def text(key, value):
    """Another text of the component; None leaves it out."""
    def change(parts):
        texts = parts[TEXT]["en"][COMPONENT]
        texts[key] = value
        if value is None:
            del texts[key]
    return change


def shared(*commands):
    """Commands at the end of the shared sequence."""
    def change(parts):
        parts[COMMON][SHARED] += commands
    return change


def install(*commands):
    """Commands before those of install."""
    def change(parts):
        parts[INSTALL] = list(commands) + parts[INSTALL]
    return change


def without_condition(number):
    """The shared sequence without one of its conditions."""
    def change(parts):
        sequence = parts[COMMON][SHARED]
        at = sequence.index(number, 2)
        del sequence[at:at + 2]
    return change


def components(*names):
    """A list of components, each a list of byte strings."""
    def change(parts):
        parts[COMMON][COMPONENTS] = [list(name) for name in names]
    return change


def nested(levels):
    """An install sequence inside `levels` others."""
    def change(parts):
        for _ in range(levels):
            parts[INSTALL] = [RUN_SEQUENCE, encode(parts[INSTALL])]
    return change


def commands(count):
    """`count` commands in all; each added one is a condition that holds."""
    def change(parts):
        has = sum(len(found) // 2 for found in (parts[COMMON][SHARED], parts[VALIDATE], parts[INSTALL]))
        parts[COMMON][SHARED] += [IF_VENDOR, POLICY] * (count - has)
    return change


# Spellings: the same content, not in the one form that is allowed. For `spell`, so that
# the signature is right.

def long_integer(data):
    """manifest version 1 as 0x18 0x01."""
    assert data[1:3] == b"\x01\x01"
    return data[:2] + b"\x18\x01" + data[3:]


def unordered(data):
    """Manifest version behind sequence number."""
    assert data[1:4] == b"\x01\x01\x02" and data[4] < 24
    return data[:1] + data[3:5] + data[1:3] + data[5:]


def endless(data):
    """The manifest as a map of indefinite length."""
    return b"\xbf" + data[1:] + b"\xff"


def flipped(data, bit):
    """One bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
