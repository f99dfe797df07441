# SPDX-License-Identifier: Apache-2.0
"""The harness's own manifests: the standard's examples verify, what is made verifies, and each
wrong thing that tests ask for is really wrong."""

import re
import subprocess
from pathlib import Path

import pytest

from lib import suit, suit_read

VECTORS = Path(__file__).resolve().parents[1] / "vectors/suit"
OEM, MODEL, VERSION = "SIMCOM", "7600M21", "V2"
IMAGE = b"firmware" * 100
KEY, OTHER = suit.Key(), suit.Key()


def vector(name):
    """(envelope without, envelope with signature) of an example."""
    text = (VECTORS / name).read_text()
    return [bytes.fromhex(found) for found in re.findall(r"~~~\n([0-9a-f\n]+)~~~", text)]


def example_key():
    return suit_read.public_key((VECTORS / "example_key_public.pem").read_bytes())


def package(**wrong):
    return suit.package(OEM, MODEL, VERSION, IMAGE, 7, wrong.pop("keys", [KEY]), **wrong)


@pytest.mark.parametrize("name,sequence,uri", [("example0.txt", 0, None),
                                               ("example1.txt", 1, "http://example.com/file.bin")])
def test_an_example_of_the_standard_verifies(name, sequence, uri):
    unsigned, signed = vector(name)
    found = suit_read.read(signed, [OTHER, example_key()])
    assert (found.sequence, found.size, found.uri) == (sequence, 34768, uri)
    assert found.digest.hex() == "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"
    for data, keys in ((unsigned, [example_key()]), (signed, [OTHER]), (signed, [])):
        with pytest.raises(suit_read.Refused, match="no trusted key"):
            suit_read.read(data, keys)


@pytest.mark.parametrize("name", ["example0.txt", "example1.txt"])
def test_every_changed_bit_of_an_example_is_found(name):
    signed = vector(name)[1]
    for bit in range(len(signed) * 8):
        with pytest.raises(suit_read.Refused):
            suit_read.read(suit.flipped(signed, bit), [example_key()])


def test_every_changed_bit_of_ours_is_found():
    """The header that names the key is not signed; a key that is not named there is none of ours."""
    made = package()
    for bit in range(len(made) * 8):
        with pytest.raises(suit_read.Refused):
            suit_read.read(suit.flipped(made, bit), [KEY])


def test_the_examples_identifiers_are_those_of_their_names():
    """The standard makes them of these names (its section on identifiers)."""
    signed = vector("example0.txt")[1]
    found = suit_read.read(signed, [example_key()]).parameters
    assert found[suit.VENDOR] == suit.vendor_id("arm.com")


def test_an_example_is_made_byte_for_byte():
    """All but the signature, by the same encoder that tests use."""
    signed = vector("example1.txt")[1]
    found = suit_read.read(signed, [example_key()])

    def as_the_example(parts):
        parts[suit.COMMON][suit.SHARED][1] = dict(list(found.parameters.items())[:4])
        del parts[suit.TEXT]

    made = package(uri=found.uri, keys=[], change=suit.both(as_the_example, suit.member(suit.SEQUENCE, 1)))
    assert made == vector("example1.txt")[0]


def test_what_is_made_is_what_it_says():
    found = suit_read.read(package(uri="https://x.example/a"), [OTHER, KEY])
    assert (found.sequence, found.size, found.uri, found.keys) == (7, len(IMAGE), "https://x.example/a", [KEY])
    assert suit.encode([suit.SHA256, found.digest]) == suit.suit_digest(IMAGE)
    assert found.parameters[suit.VENDOR] == suit.vendor_id(OEM)
    assert found.parameters[suit.CLASS] == suit.class_id(OEM, MODEL)
    assert found.texts == {suit.TEXT_VENDOR: OEM, suit.TEXT_MODEL: MODEL, suit.TEXT_VERSION: VERSION}
    assert found.met == [suit.IF_VENDOR, suit.IF_CLASS, suit.FETCH_IT, suit.IF_IMAGE, suit.IF_IMAGE]


def test_openssl_reads_the_keys(tmp_path):
    """And the key's ID is that of the point in it."""
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.pem)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", path, "-outform", "DER"], capture_output=True, check=True)
    assert der.stdout.endswith(b"\x04" + KEY.point)
    path.write_bytes(KEY.private_pem)
    made = subprocess.run(["openssl", "ec", "-in", path, "-pubout"], capture_output=True, check=True)
    assert made.stdout == KEY.pem


GOOD = {
    "one key": {},
    "no key ID": {"keys": [KEY.anonymous()]},
    "two keys": {"keys": [OTHER, KEY]},
    "an unknown block first": {"keys": [suit.Bytes(suit.encode({1: 2})), KEY]},
    "severed texts": {"severed": [suit.TEXT]},
    "severed install": {"severed": [suit.INSTALL]},
    "nesting of 3": {"change": suit.nested(3)},
    "64 commands": {"change": suit.commands(64)},
}


@pytest.mark.parametrize("wrong", GOOD.values(), ids=GOOD)
def test_what_is_allowed_is_read(wrong):
    found = suit_read.read(package(**wrong), [KEY])
    assert found.keys == [KEY] and found.size == len(IMAGE) and found.texts[suit.TEXT_VERSION] == VERSION


def tampered(key):
    """The envelope's member with a bit turned, behind the signature."""
    def outside(parts):
        parts[key] = suit.flipped(parts[key], 8 * (len(parts[key]) - 1))
    return outside


BAD = {
    "nobody's signature": ({"keys": []}, "no trusted key"),
    "another key": ({"keys": [OTHER]}, "no trusted key"),
    "another key under the right ID": ({"keys": [OTHER.claiming(KEY)]}, "no trusted key"),
    "the right key under another ID": ({"keys": [KEY.claiming(OTHER)]}, "no trusted key"),
    "a manifest that was changed": ({"outside": tampered(suit.MANIFEST)}, "manifest's digest"),
    "severed texts that were changed": ({"severed": [suit.TEXT], "outside": tampered(suit.TEXT)}, "severed member"),
    "nesting of 5": ({"change": suit.nested(5)}, "nesting"),
    "65 commands": ({"change": suit.commands(65)}, "65 commands"),
    "an unknown command": ({"change": suit.shared(99, 1)}, "command 99"),
    "an unknown parameter": ({"change": suit.parameter(99, 1)}, "a parameter"),
    "two components": ({"change": suit.components([b"\0"], [b"\1"])}, "one component"),
    "manifest version 2": ({"change": suit.member(suit.VERSION, 2)}, "manifest version"),
    "no shared sequence": ({"change": suit.member(suit.COMMON, {2: [[b"\0"]]})}, "not of the form"),
    "a long integer": ({"spell": suit.long_integer}, "not of the form"),
    "members out of order": ({"spell": suit.unordered}, "not of the form"),
    "a map without a length": ({"spell": suit.endless}, "not of the form"),
    "more than fits": ({"uri": "x" * 1400}, "too large"),
}


@pytest.mark.parametrize("wrong,reason", BAD.values(), ids=BAD)
def test_what_is_wrong_is_refused_for_what_it_is(wrong, reason):
    with pytest.raises(suit_read.Refused, match=reason):
        suit_read.read(package(**wrong), [KEY])


def test_what_is_cut_short_is_refused():
    whole = package()
    for end in range(len(whole)):
        with pytest.raises(suit_read.Refused):
            suit_read.read(whole[:end], [KEY])


CHANGES = {
    "sequence": (suit.member(suit.SEQUENCE, 3), lambda found: found.sequence == 3),
    "digest": (suit.image_digest(b"x"), lambda found: suit.encode([-16, found.digest]) == suit.suit_digest(b"x")),
    "size": (suit.parameter(suit.SIZE, 5), lambda found: found.size == 5),
    "identifiers": (suit.made_for(OEM, "X"), lambda found: found.parameters[2] == suit.class_id(OEM, "X")),
    "version text": (suit.text(suit.TEXT_VERSION, "V9"), lambda found: found.texts[6] == "V9"),
    "no version text": (suit.text(suit.TEXT_VERSION, None), lambda found: 6 not in found.texts),
    "no text": (suit.member(suit.TEXT, None), lambda found: not found.texts),
    "no condition": (suit.without_condition(suit.IF_CLASS), lambda found: suit.IF_CLASS not in found.met),
}


@pytest.mark.parametrize("change,is_so", CHANGES.values(), ids=CHANGES)
def test_a_manifest_says_what_a_test_wants(change, is_so):
    assert is_so(suit_read.read(package(change=change), [KEY]))
