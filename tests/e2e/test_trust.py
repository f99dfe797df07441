# SPDX-License-Identifier: Apache-2.0
"""Nothing that no trusted key has signed for this module, and nothing older than it may go back
to: refused with its code before a byte is stored, and the next good offer succeeds.

Most wrong manifests are authentic answers of the small platform, as a platform would give
whose database somebody else writes."""

import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib import faults, suit
from lib.codes import TEXT
from lib.module import slots
from lib.world import MODEL, OEM, TARGET, image

SIZE = 64 * 1024
OLD, NEWER = "SIM7600M21_LE11_180801_V1.50", "SIM7600M21_LE11_190301_V3.00"
OTHER = suit.Key()


def refused(world, module, host, code, kept=False, **values):
    """A session that ends with the code before 2: no request for the package, nothing stored,
    and what was stored before is there as it was (`kept`: which the code 4 tells)."""
    before, asked, state = slots(module), len(world.packages()), host.state()
    assert world.run(host, **values) == [4] * kept + [code]
    assert host.last() == (code, TEXT[code], "check", values.get("target", TARGET))
    assert (slots(module), len(world.packages()), host.state()) == (before, asked, state)


def taken(world, module, host, **values):
    """A session that ends well, with the last published image in the slot."""
    before, asked = slots(module), len(world.packages())
    assert world.run(host, **values) == [2, 3]
    assert slots(module) != before and len(world.packages()) > asked
    assert world.slot_holds(module, world.image)


def started(world, *options, **settings):
    module = world.module(*options, **settings)
    return module, world.host(module)


# Manifests with one thing wrong.

def manifest(change):
    """The envelope's bytes, changed behind everything."""
    return lambda platform: {"manifest": change(platform.sign(TARGET, image(SIZE)))}


def made(**wrong):
    return lambda platform: wrong


def signed_by(keys):
    """Signed by what `keys(the right key)` gives."""
    return lambda platform: {"keys": keys(platform.keys[0])}


def changed_behind(key):
    """A member of the envelope with its last bit turned behind the signature."""
    def outside(parts):
        parts[key] = suit.flipped(parts[key], 8 * len(parts[key]) - 1)
    return outside


def lost(key):
    def outside(parts):
        del parts[key]
    return outside


WRONG = {
    "no manifest": (made(manifest=b""), 306),
    "no envelope": (made(manifest=b"\x01"), 306),
    "nobody's signature": (signed_by(lambda key: []), 306),
    "a key that nobody trusts": (signed_by(lambda key: [OTHER]), 306),
    "such a key under the ID of a trusted one": (signed_by(lambda key: [OTHER.claiming(key)]), 306),
    "such a key that names none": (signed_by(lambda key: [OTHER.anonymous()]), 306),
    "the trusted key under another ID": (signed_by(lambda key: [key.claiming(OTHER)]), 306),
    "a block that is no signature": (signed_by(lambda key: [suit.Bytes(b"\xf6")]), 306),
    "cut in the middle": (manifest(lambda data: data[:len(data) // 2]), 306),
    "cut by one byte": (manifest(lambda data: data[:-1]), 306),
    "one byte more": (manifest(lambda data: data + b"\0"), 306),
    "another tag": (manifest(lambda data: data.replace(b"\xd8\x6b", b"\xd8\x6a", 1)), 306),
    "larger than allowed": (made(uri="https://x.example/" + "x" * 1300), 306),
    "changed behind the signature": (made(outside=changed_behind(suit.MANIFEST)), 306),
    "no authentication": (made(outside=lost(suit.WRAPPER)), 306),
    "severed install changed": (made(severed=[suit.INSTALL], outside=changed_behind(suit.INSTALL)), 306),
    "severed texts lost": (made(severed=[suit.TEXT], outside=lost(suit.TEXT)), 306),
    "severed texts changed": (made(severed=[suit.TEXT], outside=changed_behind(suit.TEXT)), 306),
    "a long integer": (made(spell=suit.long_integer), 306),
    "members out of order": (made(spell=suit.unordered), 306),
    "a map without a length": (made(spell=suit.endless), 306),
    "manifest version 2": (made(change=suit.member(suit.VERSION, 2)), 306),
    "an unknown command": (made(change=suit.shared(99, 15)), 306),
    "an unknown parameter": (made(change=suit.parameter(99, 1)), 306),
    "two components": (made(change=suit.components([b"\0"], [b"\1"])), 306),
    "too deep": (made(change=suit.nested(5)), 306),
    "65 commands": (made(change=suit.commands(65)), 306),
    "a condition that aborts": (made(change=suit.shared(14, 15)), 306),
    "no condition vendor": (made(change=suit.without_condition(suit.IF_VENDOR)), 401),
    "no condition class": (made(change=suit.without_condition(suit.IF_CLASS)), 401),
    "nothing to install": (made(change=suit.member(suit.INSTALL, None)), 306),
    "no digest": (made(change=suit.parameter(suit.DIGEST, None)), 306),
    "no size": (made(change=suit.parameter(suit.SIZE, None)), 306),
    "the digest of another image": (made(change=suit.image_digest(b"another")), 306),
    "another size": (made(change=suit.parameter(suit.SIZE, SIZE - 1)), 306),
    "no texts": (made(change=suit.member(suit.TEXT, None)), 306),
    "no OEM in the text": (made(change=suit.text(suit.TEXT_VENDOR, None)), 306),
    "no model in the text": (made(change=suit.text(suit.TEXT_MODEL, None)), 306),
    "no version text": (made(change=suit.text(suit.TEXT_VERSION, None)), 306),
    "another version": (made(change=suit.text(suit.TEXT_VERSION, NEWER)), 306),
    "another vendor": (made(change=suit.parameter(suit.VENDOR, suit.vendor_id("OTHER"))), 401),
    "another class": (made(change=suit.parameter(suit.CLASS, suit.class_id(OEM, "OTHER"))), 401),
    "a sibling model": (made(change=suit.made_for(OEM, "7600M22")), 401),
    "the same model's name of another vendor": (made(change=suit.made_for("OTHER", MODEL)), 401),
    "another vendor in the text": (made(change=suit.text(suit.TEXT_VENDOR, "OTHER")), 401),
    "another model in the text": (made(change=suit.text(suit.TEXT_MODEL, "7600M22")), 401),
}


@pytest.mark.parametrize("wrong,code", WRONG.values(), ids=WRONG)
def test_a_wrong_manifest_is_refused_before_a_byte_is_stored(mini, wrong, code):
    module, host = started(mini)
    mini.publish(SIZE, **wrong(mini.platform))
    refused(mini, module, host, code)
    mini.publish(SIZE)
    taken(mini, module, host)


def test_a_wrong_manifest_does_not_spoil_what_is_stored(mini):
    """A part that was downloaded by a good offer is gone on with by the next good one."""
    module, host = started(mini)
    mini.publish(4 * SIZE)
    mini.net.rule("package", faults.body(cut_after=SIZE, end="close"), 1, 1)
    mini.net.rule("package", faults.status(503), 2)
    assert mini.run(host) == [2, 4, 504]
    mini.net.clear()
    mini.publish(4 * SIZE, keys=[OTHER])
    refused(mini, module, host, 306, kept=True)
    mini.publish(4 * SIZE)
    taken(mini, module, host)
    assert mini.packages()[-1].start == SIZE


def test_a_check_refuses_what_a_session_would(mini):
    module, host = started(mini)
    before = slots(module)
    for wrong, code in (({"keys": [OTHER]}, 306), ({"change": suit.made_for(OEM, "7600M22")}, 401)):
        mini.publish(SIZE, **wrong)
        host.ok(mini.command(name="FOTACHECK"))
        assert host.lines_until(r"\+CSCFOTA: .*") == [f"+CSCFOTA: {code}"]
        host.quiet()
    assert slots(module) == before and not mini.packages()


@pytest.mark.limit(600)
def test_a_turned_bit_of_a_manifest_is_found(mini, is_soak):
    """A sample here, each byte in the long run; the unit tests have every bit."""
    module, host = started(mini)
    mini.publish(SIZE)
    good = mini.platform.sign(TARGET, mini.image)
    step = 1 if is_soak else len(good) // 40
    for at in range(0, len(good), step):
        bit = 8 * at + (at // step) % 8
        host.note(f"bit {bit} of {good.hex()}")
        mini.platform.script(lambda answer, _: answer | {"manifest": suit.flipped(good, bit)})
        codes = mini.run(host)
        assert codes in ([306], [401], [5]), f"bit {bit} of {good.hex()}: {codes}"
    assert not mini.packages()
    taken(mini, module, host)


# Manifests that are unusual and right.

def idle(parts):
    """Sequences that are for a boot loader, or for nobody."""
    parts[suit.LOAD] = [suit.OVERRIDE, {12: True}, 22, 2]
    parts[suit.INVOKE] = [23, 2]
    parts[suit.FETCH] = [suit.IF_VENDOR, suit.POLICY]
    parts[suit.REFERENCE] = "https://vendor.example/manifest"


def tried(parts):
    """The condition on the class as the second of two ways."""
    ways = [suit.encode([suit.OVERRIDE, {suit.CLASS: bytes(16)}, suit.IF_CLASS, suit.POLICY]),
            suit.encode([suit.OVERRIDE, {suit.CLASS: suit.class_id(OEM, MODEL)}, suit.IF_CLASS, suit.POLICY])]
    sequence = parts[suit.COMMON][suit.SHARED]
    sequence += [suit.TRY_EACH, ways]


RIGHT = {
    "a signature that names no key": signed_by(lambda key: [key.anonymous()]),
    "an unknown key first": signed_by(lambda key: [OTHER, key]),
    "a trusted key first": signed_by(lambda key: [key, OTHER]),
    "a block of another kind first": signed_by(lambda key: [suit.Bytes(suit.encode([1, 2])), key]),
    "a false signature under the right ID first": signed_by(lambda key: [OTHER.claiming(key), key]),
    "severed texts": made(severed=[suit.TEXT]),
    "severed install": made(severed=[suit.INSTALL]),
    "nesting of 3": made(change=suit.nested(3)),
    "64 commands": made(change=suit.commands(64)),
    "a default URI": made(uri="https://vendor.example/firmware.bin"),
    "members that are not for the service": made(change=idle),
    "two ways": made(change=tried),
}


@pytest.mark.parametrize("unusual", RIGHT.values(), ids=RIGHT)
def test_an_unusual_manifest_is_taken(mini, unusual):
    module, host = started(mini)
    mini.publish(SIZE, **unusual(mini.platform))
    taken(mini, module, host)


# Keys.

def test_a_module_without_keys_takes_nothing_and_says_so(mini):
    module, host = started(mini, trust=())
    assert "--trust" in module.log.read_text()
    mini.publish(SIZE)
    refused(mini, module, host, 306)
    module.trust(*mini.platform.keys)
    module.restart()
    taken(mini, module, mini.host(module))


def test_keys_come_from_several_files_and_several_are_in_one(mini):
    keys = [suit.Key() for _ in range(3)]
    files = [mini.folder / "one.pem", mini.folder / "two.pem"]
    files[0].write_bytes(keys[0].pem)
    files[1].write_bytes(keys[1].pem + b"\nA comment between two keys.\n" + keys[2].pem)
    module, host = started(mini, "--trust", str(files[0]), "--trust", str(files[1]), trust=())
    for number, key in enumerate(keys):
        mini.publish(SIZE, seed=number, keys=[key])
        taken(mini, module, host)
    mini.publish(SIZE, seed=9)
    refused(mini, module, host, 306)


def test_keys_are_rotated(mini):
    """From the old key alone, over both, to the new one alone; a module follows by its provisioning."""
    old, = mini.platform.keys
    new = suit.Key()
    module, host = started(mini)
    mini.publish(SIZE, seed=1, keys=[old])
    taken(mini, module, host)
    mini.publish(SIZE, seed=2, keys=[old, new])
    taken(mini, module, host)
    mini.publish(SIZE, seed=3, keys=[new])
    refused(mini, module, host, 306)
    module.trust(old, new)
    module.restart()
    host = mini.host(module)
    taken(mini, module, host)
    module.trust(new)
    module.restart()
    host = mini.host(module)
    mini.publish(SIZE, seed=4, keys=[old])
    refused(mini, module, host, 306)
    mini.publish(SIZE, seed=5, keys=[old, new])
    taken(mini, module, host)


def public_pem(private):
    return private.public_key().public_bytes(serialization.Encoding.PEM,
                                             serialization.PublicFormat.SubjectPublicKeyInfo)


NO_KEYS = {
    "nothing": None,
    "an empty file": b"",
    "no PEM": b"no key at all\n",
    "a private key": OTHER.private_pem,
    "a key cut short": OTHER.pem[:90],
    "a key with a turned bit": OTHER.pem.replace(OTHER.pem[100:101], b"!", 1),
    "a key of RSA": public_pem(rsa.generate_private_key(65537, 2048)),
    "a key on another curve": public_pem(ec.generate_private_key(ec.SECP384R1())),
    "a good key and half of another": OTHER.pem + suit.Key().pem[:90],
}


@pytest.mark.parametrize("data", NO_KEYS.values(), ids=NO_KEYS)
def test_a_file_that_has_no_key_ends_the_start_and_is_named(atfotad, tmp_path, data):
    """A module that trusts fewer keys than it was told would refuse packages only later."""
    path = tmp_path / "trust.pem"
    if data is not None:
        path.write_bytes(data)
    done = subprocess.run([atfotad, "--stdio", "--state", tmp_path / "state", "--trust", path],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and str(path) in done.stderr, done
    assert "PRIVATE KEY-----" not in done.stderr and len(done.stderr) < 600


# Offers that are not for now.

def test_the_offer_of_another_version_is_refused(mini):
    """A good manifest and its image, given for another target than its own."""
    module, host = started(mini)
    mini.publish(SIZE, OLD)
    mini.platform.publish(TARGET, mini.image, manifest=mini.platform.sign(OLD, mini.image))
    refused(mini, module, host, 306)
    mini.publish(SIZE)
    taken(mini, module, host)


def test_an_answer_of_an_earlier_check_is_refused(mini):
    """The network replays a good answer; it belongs to another request."""
    module, host = started(mini)
    mini.publish(SIZE)
    host.ok(mini.command(name="FOTACHECK"))
    host.lines_until(r"\+FOTACHECK: .*")
    mini.net.rule("check", faults.replay(mini.net.entries("check")[0].answer))
    refused(mini, module, host, 402)
    mini.net.clear()
    taken(mini, module, host)


def test_a_payload_that_was_swapped_is_thrown_away(mini):
    """Other bytes of the same size behind the link; manifest and offer agree."""
    module, host = started(mini)
    mini.publish(SIZE)
    mini.platform.swap(TARGET, image(SIZE, 2))
    assert mini.run(host) == [2, 306]
    assert host.last() == (306, TEXT[306], "verify", TARGET) and host.state()[:3] == (0, 0, 0)
    mini.publish(SIZE)
    taken(mini, module, host)
    assert mini.packages()[-1].start == 0


def test_an_offer_of_other_bytes_than_the_manifests_is_not_fetched(mini):
    """As above, but the platform's answer agrees with the bytes and not with the manifest."""
    module, host = started(mini)
    mini.publish(SIZE)
    good = mini.platform.sign(TARGET, mini.image)
    mini.publish(SIZE, seed=2, manifest=good)
    refused(mini, module, host, 306)
    mini.publish(SIZE)
    taken(mini, module, host)


def test_a_package_with_a_turned_bit_is_thrown_away(mini):
    module, host = started(mini)
    mini.publish(SIZE)
    for at in (0, 1, SIZE // 2, SIZE - 1):
        mini.net.rule("package", faults.body(corrupt_at=at), 1, 1)
        assert mini.run(host) == [2, 306]
        mini.net.clear()
        assert host.state()[:3] == (0, 0, 0)
    taken(mini, module, host)


def test_a_second_answer_in_a_session_is_looked_at_as_the_first(mini):
    """The link has expired; the answer that brings a new one has a manifest that nobody trusts."""
    module, host = started(mini)
    mini.publish(SIZE)
    before = slots(module)
    foreign = mini.platform.sign(TARGET, mini.image, keys=[OTHER])
    mini.platform.script(lambda answer, _: answer)
    mini.platform.script(lambda answer, _: answer | {"manifest": foreign})
    mini.net.rule("package", faults.status(403), 1, 1)
    assert mini.run(host) == [2, 306]
    assert len(mini.packages()) == 1 and slots(module) == before
    taken(mini, module, host)
