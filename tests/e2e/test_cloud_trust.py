# SPDX-License-Identifier: Apache-2.0
"""The platform takes only what a key of the product has signed and what fits. Every refusal is caused once;
each says the next step. Manifests are made by lib/suit.py, which has no line in common with the platform."""

import base64
import hashlib
import http.client
import os
import random
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cbor2
import pytest

from lib import suit
from lib.cloud import SUIT_TYPE, Cloud
from lib.device import Device
from lib.world import MODEL, OEM, image

ROOT = Path(__file__).resolve().parents[2]
DATA = image(10_000)
OTHER = image(10_000, seed=2)
DIGEST = hashlib.sha256(DATA).hexdigest()
ENVELOPE_MAX = 1536


class Release:
    """A product with keys of the test's own, and one draft of it."""

    def __init__(self, cloud, keys=1, version="V2"):
        self.cloud, self.name = cloud, version
        names = {"oem": OEM, "model": MODEL}
        cloud.request("POST", "oems", {"name": OEM})
        cloud.request("POST", "models", {"oem": OEM, "name": MODEL})
        made = cloud.ok("POST", "products", names)
        self.product, self.secret = made["id"], made["secret"]
        self.keys = [suit.Key() for _ in range(keys)]
        for key in self.keys:
            self.tell(key)
        self.version = self.draft(version)

    def tell(self, key, **more):
        return self.cloud.request("POST", f"products/{self.product}/keys", {"pem": key.pem.decode()} | more)

    def forget(self, key):
        return self.cloud.request("DELETE", f"products/{self.product}/keys/{key.kid.hex()}")

    def draft(self, name):
        return self.cloud.ok("POST", "versions", {"product": self.product, "name": name})["id"]

    def envelope(self, sequence=1, oem=OEM, model=MODEL, version=None, data=DATA, keys=None, **wrong):
        return suit.package(oem, model, version or self.name, data, sequence, self.keys if keys is None else keys,
                            **wrong)

    def put(self, envelope, version=None):
        return self.cloud.request("PUT", f"versions/{version or self.version}/manifest", envelope,
                                  headers={"Content-Type": SUIT_TYPE})

    def package(self, data=DATA, version=None, **headers):
        return self.cloud.request("PUT", f"versions/{version or self.version}/package", data, headers=headers)

    def upload(self, data=DATA, version=None):
        return self.cloud.request("POST", f"versions/{version or self.version}/uploads",
                                  {"size": len(data), "digest": hashlib.sha256(data).hexdigest()})

    def publish(self, version=None):
        return self.cloud.request("POST", f"versions/{version or self.version}/publish", {})

    def get(self, version=None):
        return self.cloud.ok("GET", f"versions/{version or self.version}")

    def complete(self, number=None, **fields):
        """Manifest, package, published."""
        for answer in (self.put(self.envelope(**fields), number), self.package(fields.get("data", DATA), number),
                       self.publish(number)):
            assert answer.status == 200, answer

    def offer(self, target=None):
        device = Device(self.cloud.url, self.product, self.secret, OEM, MODEL)
        status, answer = device.check(target or self.name)
        assert status == 200
        return answer


@pytest.fixture
def release(cloud):
    return Release(cloud)


def refused(answer, status, words):
    """A problem document of this status whose detail has these words."""
    assert answer.status == status, answer
    assert words in answer.json["detail"], answer
    return True


# The right way.

def test_a_version_gets_its_manifest_then_its_package_then_it_is_offered(release):
    envelope = release.envelope(sequence=7)
    version = release.put(envelope).json
    kid = release.keys[0].kid.hex()
    assert version["manifest"] == {"sequence": 7, "kids": [kid], "size": len(DATA), "digest": DIGEST}
    assert version["package"] is None and version["state"] == "draft"
    assert release.offer()["result"] == 1
    assert release.package().json["package"] == {"digest": DIGEST, "size": len(DATA)}
    assert release.offer()["result"] == 1
    assert release.publish().json["state"] == "published"
    offer = release.offer()
    assert (offer["result"], offer["manifest"], offer["digest"].hex()) == (0, envelope, DIGEST)
    answer = release.cloud.request("GET", f"versions/{release.version}/manifest")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, SUIT_TYPE, envelope)
    listed, = release.cloud.ok("GET", f"versions?product={release.product}")["items"]
    assert listed == release.get() and listed["manifest"]["sequence"] == 7


def test_the_same_manifest_can_be_sent_again(release):
    envelope = release.envelope()
    first = release.put(envelope).json
    assert release.put(envelope).json == first
    release.package()
    published = release.publish().json
    assert release.put(envelope).json == published


@pytest.mark.parametrize("wrong", [{"severed": (suit.TEXT,)}, {"severed": (suit.INSTALL, suit.TEXT)},
                                   {"uri": "https://cdn.example/fw"}])
def test_manifests_of_other_forms_of_the_profile_are_taken(release, wrong):
    envelope = release.envelope(**wrong)
    assert release.put(envelope).status == 200
    assert release.package().status == 200 and release.publish().status == 200
    assert release.offer()["manifest"] == envelope


def test_a_signature_without_a_key_id_counts(release):
    assert release.put(release.envelope(keys=[release.keys[0].anonymous()])).status == 200
    assert release.get()["manifest"]["kids"] == [release.keys[0].kid.hex()]


# Keys.

def test_keys_are_listed_and_deleted(release):
    key = suit.Key()
    made = release.tell(key, name="of the release machine")
    assert made.status == 201 and set(made.json) == {"kid", "name", "pem", "created"}
    assert (made.json["kid"], made.json["name"]) == (key.kid.hex(), "of the release machine")
    assert made.json["pem"] == key.pem.decode()
    path = f"products/{release.product}/keys"
    page = release.cloud.ok("GET", f"{path}?limit=1")
    assert [item["kid"] for item in page["items"]] == [release.keys[0].kid.hex()]
    assert release.cloud.ok("GET", f"{path}?limit=1&after={page['next']}")["items"] == [made.json]
    assert release.forget(key).status == 204
    refused(release.forget(key), 404, "no key")
    assert len(release.cloud.ok("GET", path)["items"]) == 1


def private_pem():
    return suit.Key().private_pem.decode()


def other_curve():
    return subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout"], capture_output=True,
                          check=True).stdout, ["openssl", "ec", "-pubout"]


def rsa():
    return subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout, \
        ["openssl", "rsa", "-pubout"]


def public_of(made):
    private, words = made
    return subprocess.run(words, input=private, capture_output=True, check=True).stdout.decode()


def cut_pem():
    return suit.Key().pem.decode()[:100]


@pytest.mark.parametrize("pem,words", [
    (lambda: "", "'pem'"), (lambda: "no key", "no public key"), (cut_pem, "damaged"),
    (private_pem, "private key must not"), (lambda: public_of(rsa()), "not ECDSA P-256"),
    (lambda: public_of(other_curve()), "not ECDSA P-256"),
    (lambda: (suit.Key().pem + suit.Key().pem).decode(), "one at a time"),
    (lambda: "-----BEGIN " + "ü" * 60 + "-----\nAA==\n-----END " + "ü" * 60 + "-----\n", "")])
def test_what_is_no_public_key_is_refused(release, pem, words):
    text = pem()
    answer = release.cloud.request("POST", f"products/{release.product}/keys", {"pem": text})
    refused(answer, 422, words)
    if "PRIVATE" in text:
        assert text.splitlines()[1] not in answer.body.decode() + release.cloud.log()


def test_a_key_belongs_to_a_product_once(release, cloud):
    refused(release.tell(release.keys[0]), 409, "already")
    assert Release(cloud).tell(release.keys[0]).status == 201  # to another product as well
    refused(cloud.request("POST", "products/1/keys", {"pem": suit.Key().pem.decode()}), 404, "no product")
    refused(cloud.request("GET", "products/1/keys"), 404, "no product")
    refused(cloud.request("DELETE", "products/1/keys/" + release.keys[0].kid.hex()), 404, "no product")
    refused(cloud.request("POST", f"products/{release.product}/keys", {}), 422, "'pem'")
    refused(cloud.request("POST", f"products/{release.product}/keys", {"pem": 7}), 422, "'pem'")


def test_a_product_has_at_most_sixteen_keys(release):
    for _ in range(15):
        assert release.tell(suit.Key()).status == 201
    refused(release.tell(suit.Key()), 409, "at most 16")
    assert release.forget(release.keys[0]).status == 204
    assert release.tell(suit.Key()).status == 201


def test_keys_go_with_their_product(cloud):
    made = Release(cloud)
    cloud.ok("DELETE", f"versions/{made.version}")
    assert cloud.request("DELETE", f"products/{made.product}").status == 204


# Refusals of manifests.

def test_without_a_key_nothing_is_taken(cloud):
    keyless = Release(cloud, keys=0)
    refused(keyless.put(keyless.envelope(keys=[suit.Key()])), 409, "product-key create")


def test_the_key_of_another_product_is_no_key(cloud, release):
    refused(release.put(release.envelope(keys=Release(cloud).keys)), 422, "no key of the product")


def two_slots():
    """try-each: the image of DATA in slot 0, that of OTHER in slot 1."""
    return [suit.encode([suit.OVERRIDE, {5: slot, suit.DIGEST: suit.suit_digest(data)}, 5, 15])
            for slot, data in enumerate((DATA, OTHER))]


REFUSED = [
    ("another key", lambda r: r.envelope(keys=[suit.Key()]), "no key of the product"),
    ("another key under our id", lambda r: r.envelope(keys=[suit.Key().claiming(r.keys[0])]), "no key of the product"),
    ("no signature", lambda r: r.envelope(keys=[]), ""),
    ("another OEM", lambda r: r.envelope(oem="SIMCOM2"), f"--oem '{OEM}'"),
    ("another model", lambda r: r.envelope(model="7600M22"), f"--model '{MODEL}'"),
    ("another version", lambda r: r.envelope(version="V2.0"), "--version 'V2'"),
    ("the version as a prefix", lambda r: r.envelope(version="V"), "--version 'V2'"),
    ("no text", lambda r: r.envelope(change=suit.member(suit.TEXT, None)), f"--oem '{OEM}'"),
    ("no version text", lambda r: r.envelope(change=suit.text(suit.TEXT_VERSION, None)), "names no version"),
    ("no vendor text", lambda r: r.envelope(change=suit.text(suit.TEXT_VENDOR, None)), "names no OEM"),
    ("no model text", lambda r: r.envelope(change=suit.text(suit.TEXT_MODEL, None)), "names no model"),
    ("identifiers of another model", lambda r: r.envelope(change=suit.made_for(OEM, "x")), "identifier"),
    ("identifiers of another OEM", lambda r: r.envelope(change=suit.made_for("x", MODEL)), "identifier"),
    ("no condition for the class", lambda r: r.envelope(change=suit.without_condition(suit.IF_CLASS)), "condition"),
    ("no condition for the vendor", lambda r: r.envelope(change=suit.without_condition(suit.IF_VENDOR)), "condition"),
    ("no size", lambda r: r.envelope(change=suit.parameter(suit.SIZE, None)), "size and digest"),
    ("no image at all", lambda r: r.envelope(data=b""), "size"),
    ("a command that nobody knows", lambda r: r.envelope(change=suit.install(99, 0)), "do not know"),
    ("for one slot only", lambda r: r.envelope(change=suit.shared(suit.OVERRIDE, {5: 1}, 5, 15)), "not every module"),
    ("another image for each slot", lambda r: r.envelope(change=suit.shared(suit.TRY_EACH, two_slots())), "another slot"),
    ("a sequence number beyond all", lambda r: r.envelope(sequence=1 << 63), "sequence number"),
    ("garbage", lambda r: os.urandom(300), "no SUIT envelope"),
    ("the image", lambda r: DATA[:1000], "no SUIT envelope"),
    ("nothing", lambda r: b"", "no SUIT envelope"),
    ("JSON", lambda r: b'{"manifest":1}', "no SUIT envelope"),
    ("another spelling", lambda r: r.envelope(spell=suit.long_integer), "no SUIT envelope"),
    ("more behind it", lambda r: r.envelope() + b"\0", "no SUIT envelope"),
]


@pytest.mark.parametrize("make,words", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_manifest_that_does_not_fit_is_refused(release, make, words):
    refused(release.put(make(release)), 422, words)
    assert release.get()["manifest"] is None


def test_a_truncated_or_flipped_manifest_is_refused(release):
    envelope = release.envelope()
    rng = random.Random(4)
    for size in [0, 1, 2, len(envelope) - 1] + rng.sample(range(3, len(envelope) - 1), 20):
        refused(release.put(envelope[:size]), 422, "")
    for bit in rng.sample(range(8 * len(envelope)), 60):
        refused(release.put(suit.flipped(envelope, bit)), 422, "")
    assert release.get()["manifest"] is None
    assert release.put(envelope).status == 200


def sized(release, size):
    """An envelope of exactly `size` bytes, right but for that; the text of another language fills it up."""
    def make(fill):
        def change(parts):
            parts[suit.TEXT]["zz"] = {suit.COMPONENT: {suit.TEXT_VERSION: "x" * fill}}
        return release.envelope(change=change)
    fill = size - len(make(300)) + 300
    envelope = make(fill)
    assert len(envelope) == size
    return envelope


def test_a_manifest_has_at_most_1536_bytes(release):
    for size in (ENVELOPE_MAX + 1, 60_000):
        refused(release.put(os.urandom(size)), 413, "1536 bytes")
    assert release.put(os.urandom(70_000)).status == 413
    refused(release.put(sized(release, ENVELOPE_MAX + 1)), 413, "1536 bytes")
    assert release.put(sized(release, ENVELOPE_MAX)).status == 200


def test_the_largest_manifest_fits_into_an_answer(build, tmp_path):
    """With the longest link that --public-url can make."""
    with Cloud(build / "cloud/atfota-cloud", tmp_path, "--public-url", "https://cdn.example/" + "x" * 80) as cloud:
        made = Release(cloud)
        envelope = sized(made, ENVELOPE_MAX)
        assert made.put(envelope).status == made.package().status == made.publish().status == 200
        offer = made.offer()
        assert (offer["result"], offer["manifest"]) == (0, envelope) and len(offer["url"]) > 200


def test_other_versions_and_methods(release):
    refused(release.cloud.request("PUT", "versions/999999/manifest", release.envelope()), 404, "no version")
    refused(release.cloud.request("PUT", "versions/x/manifest", release.envelope()), 404, "no id")
    refused(release.cloud.request("GET", "versions/999999/manifest"), 404, "no version")
    refused(release.cloud.request("GET", f"versions/{release.version}/manifest"), 404, "no manifest")
    assert release.cloud.request("DELETE", f"versions/{release.version}/manifest").status == 405
    assert release.cloud.request("PUT", f"versions/{release.version}/manifest", b"x", token=None).status == 401
    assert release.cloud.request("POST", f"products/{release.product}/keys", {}, token="x").status == 401


# Sequence numbers.

def test_the_sequence_number_is_above_that_of_every_other_version(release):
    release.complete(sequence=5)
    second = release.draft("V3")
    for number in (0, 4, 5):
        refused(release.put(release.envelope(number, version="V3"), second), 409, "not above 5")
    assert release.put(release.envelope(9, version="V3"), second).status == 200
    third = release.draft("V4")  # drafts count: a number is given once
    refused(release.put(release.envelope(9, version="V4"), third), 409, "not above 9")
    assert release.put(release.envelope(6, version="V3"), second).status == 200  # a draft may change its mind
    assert release.put(release.envelope(7, version="V4"), third).status == 200
    release.cloud.ok("DELETE", f"versions/{third}")
    assert release.put(release.envelope(7, version="V3"), second).status == 200


def test_the_sequence_numbers_of_products_are_their_own(cloud, release):
    release.complete(sequence=500)
    assert Release(cloud).put(release.envelope()).status == 422
    other = Release(cloud)
    assert other.put(other.envelope(sequence=1)).status == 200


def test_of_two_with_the_same_number_one_wins(release):
    drafts = [release.draft(f"R{number}") for number in range(8)]
    envelopes = [release.envelope(3, version=f"R{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(release.put, envelopes, drafts))
    assert sorted(answer.status for answer in answers) == [200] + 7 * [409]
    assert sum(release.get(draft)["manifest"] is not None for draft in drafts) == 1


def test_an_older_version_is_signed_anew_so_that_modules_may_go_back(release):
    release.complete(sequence=1)
    second = release.draft("V3")
    release.complete(second, sequence=2, version="V3", data=OTHER)
    refused(release.put(release.envelope(2)), 409, "not above 2")
    refused(release.put(release.envelope(1, uri="https://x")), 409, "not above 2")
    back = release.envelope(3)
    assert release.put(back).json["manifest"]["sequence"] == 3
    assert release.offer("V2")["manifest"] == back and release.offer("V3")["result"] == 0
    refused(release.put(release.envelope(4, data=OTHER)), 422, "new version name")
    refused(release.put(release.envelope(2)), 409, "not above 3")  # and not below what it was
    assert release.get()["state"] == "published" and release.offer("V2")["manifest"] == back


# Packages.

def test_the_manifest_comes_before_the_package(release):
    refused(release.package(), 409, "no manifest")
    refused(release.upload(), 409, "no manifest")
    refused(release.publish(), 409, "no manifest")
    assert release.put(release.envelope()).status == 200
    refused(release.publish(), 409, "no package")


def test_a_package_of_another_size_is_refused(release):
    release.put(release.envelope())
    for data in (DATA[:-1], DATA + b"\0"):
        refused(release.package(data), 422, "bytes")
        refused(release.upload(data), 422, "bytes")
    assert release.get()["package"] is None


def test_a_package_of_another_digest_is_refused(release):
    data, other = image(9000, seed=31), image(9000, seed=32)
    release.put(release.envelope(data=data))
    text = f"sha-256=:{base64.b64encode(hashlib.sha256(other).digest()).decode()}:"
    refused(release.package(other, **{"Repr-Digest": text}), 422, "digest")  # declared
    refused(release.package(data, **{"Repr-Digest": text}), 422, "digest")
    refused(release.upload(other), 422, "digest")
    refused(release.package(other), 422, "digest")  # found
    upload = release.upload(data).json
    release.cloud.ok("PATCH", f"uploads/{upload['id']}", other, headers={"Upload-Offset": "0"})
    refused(release.cloud.request("POST", f"uploads/{upload['id']}/finish", {}), 422, "digest")
    assert release.get()["package"] is None
    name = hashlib.sha256(other).hexdigest()
    assert not (release.cloud.data / "blobs" / name[:2] / name[2:]).exists()
    assert release.package(data).status == 200
    refused(release.package(other), 422, "digest")  # though the right bytes are there


def test_a_manifest_that_changes_under_an_upload_is_noticed(release):
    data = image(9000, seed=33)
    release.put(release.envelope(data=data))
    upload = release.upload(data).json
    release.cloud.ok("PATCH", f"uploads/{upload['id']}", data, headers={"Upload-Offset": "0"})
    release.put(release.envelope(2, data=image(9000, seed=34)))
    refused(release.cloud.request("POST", f"uploads/{upload['id']}/finish", {}), 422, "digest")
    assert release.get()["package"] is None
    release.put(release.envelope(3, data=data))
    package = release.cloud.ok("POST", f"uploads/{upload['id']}/finish", {})["package"]
    assert package["digest"] == hashlib.sha256(data).hexdigest()


def test_a_draft_with_a_manifest_for_another_image_has_no_package(release):
    release.put(release.envelope())
    assert release.package().json["package"]["digest"] == DIGEST
    assert release.put(release.envelope(2)).json["package"]["digest"] == DIGEST  # the same image
    assert release.put(release.envelope(3, data=OTHER)).json["package"] is None
    refused(release.publish(), 409, "no package")
    assert release.package(OTHER).status == 200 and release.publish().status == 200


# Rotation of keys.

def add_signature(envelope, key):
    """The envelope with one more signature, as `atfota package sign` makes it."""
    parts = cbor2.loads(envelope).value
    blocks = cbor2.loads(parts[suit.WRAPPER])
    parts[suit.WRAPPER] = suit.encode(blocks + [key.block(blocks[0])])
    return suit.envelope(parts)


def test_a_key_is_changed_while_its_version_is_offered(release):
    old, new = release.keys[0], suit.Key()
    release.complete(sequence=1)
    release.complete(release.draft("V3"), sequence=2, version="V3", data=OTHER)
    before = release.offer("V2")["manifest"]
    refused(release.forget(old), 409, "'V2'")
    both = add_signature(before, new)
    assert release.put(both).json["manifest"]["kids"] == [old.kid.hex()]  # the new one is not known yet
    assert release.tell(new).status == 201
    assert release.get()["manifest"]["kids"] == [old.kid.hex(), new.kid.hex()]  # now it is, without another PUT
    refused(release.forget(old), 409, "'V3'")
    third = release.cloud.ok("GET", f"versions?product={release.product}&name=V3")["items"][0]["id"]
    assert release.put(add_signature(release.offer("V3")["manifest"], new), third).status == 200
    assert release.forget(old).status == 204
    assert release.get()["manifest"]["kids"] == [new.kid.hex()]
    assert release.offer("V2")["manifest"] == both
    refused(release.put(before), 422, "no key of the product")  # what only the old key signed is worth nothing now
    refused(release.forget(new), 409, "'V2'")


def test_a_version_that_loses_its_last_signature_is_not_published(release):
    release.put(release.envelope())
    release.package()
    assert release.forget(release.keys[0]).status == 204
    assert release.get()["manifest"]["kids"] == []
    refused(release.publish(), 409, "package sign")
    assert release.tell(release.keys[0]).status == 201
    assert release.publish().status == 200
    release.cloud.ok("POST", f"versions/{release.version}/withdraw", {})
    assert release.forget(release.keys[0]).status == 204
    refused(release.publish(), 409, "package sign")


def test_a_key_that_goes_while_it_is_used_leaves_nothing_unsigned(release):
    """PUT and DELETE at the same time, again and again: what is published is signed."""
    key = release.keys[0]
    for number in range(1, 15):
        release.tell(key)
        draft = release.draft(f"T{number}")
        release.put(release.envelope(number, version=f"T{number}"), draft)
        release.package(version=draft)
        with ThreadPoolExecutor(2) as pool:
            published, deleted = pool.submit(release.publish, draft), pool.submit(release.forget, key)
        found = release.get(draft)
        assert {published.result().status, deleted.result().status} in ({200, 409}, {409, 204})
        assert (found["state"] == "published") == bool(found["manifest"]["kids"])
        if found["state"] == "published":
            release.cloud.ok("POST", f"versions/{draft}/withdraw", {})
            assert release.forget(key).status == 204


# kill -9.

class Putter(threading.Thread):
    """Sends manifests to drafts of its own until the platform is gone."""

    def __init__(self, made, first, ledger):
        super().__init__()
        self.made, self.number, self.ledger, self.error = made, first, ledger, None
        self.acknowledged = threading.Semaphore(0)

    def wait(self, count):
        """Until so many were acknowledged, however slow the machine is."""
        for _ in range(count):
            assert self.acknowledged.acquire(timeout=20), repr(self.error)

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException):
            pass
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def step(self):
        self.number += 1
        name = f"K{self.number}"
        draft = self.made.draft(name)
        envelope = self.made.envelope(self.number, version=name)
        self.ledger[draft] = (envelope, False)
        answer = self.made.put(envelope, draft)
        assert answer.status == 200, answer
        self.ledger[draft] = (envelope, True)
        self.acknowledged.release()


def test_kill_9_leaves_no_manifest_half(build, tmp_path):
    """What was acknowledged is there, byte for byte; what was not is there wholly or not at all."""
    cloud, ledger, rng = Cloud(build / "cloud/atfota-cloud", tmp_path), {}, random.Random(11)
    with cloud:
        made = Release(cloud)
    for turn in range(8):
        cloud.start()
        putter = Putter(made, 1000 * turn, ledger)
        putter.start()
        putter.wait(3)
        time.sleep(rng.uniform(0, 0.1))
        cloud.kill()
        putter.join()
        assert putter.error is None, repr(putter.error)
    cloud.start()
    kid = made.keys[0].kid.hex()
    for draft, (envelope, is_acknowledged) in ledger.items():
        found = made.get(draft)["manifest"]
        assert found or not is_acknowledged, "an acknowledged manifest is gone"
        if found:
            assert found["kids"] == [kid] and found["digest"] == DIGEST
            assert cloud.request("GET", f"versions/{draft}/manifest").body == envelope
    cloud.stop()


# Data of before there were manifests.

def old_data(folder, blob=DATA):
    """A data directory as the program with the first schema left it: V2 published, V3 a draft, both with a
    package."""
    data = folder / "data"
    for name in ("blobs", "uploads"):
        (data / name).mkdir(parents=True, mode=0o700)
    digest = hashlib.sha256(blob).hexdigest()
    (data / "blobs" / digest[:2]).mkdir()
    (data / "blobs" / digest[:2] / digest[2:]).write_bytes(blob)
    with sqlite3.connect(data / "atfota.db") as db:
        db.executescript((ROOT / "cloud/store/migrations/0001_initial.sql").read_text())
        db.executescript(f"""
            PRAGMA journal_mode = WAL;
            CREATE TABLE schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL);
            INSERT INTO schema_version VALUES (1, '0001_initial', 1);
            INSERT INTO setting VALUES ('link_key', zeroblob(32));
            INSERT INTO token VALUES (1, 'first', x'{hashlib.sha256(b"token").hexdigest()}', 1);
            INSERT INTO oem VALUES (1, '{OEM}', 1);
            INSERT INTO model VALUES (1, 1, '{MODEL}', 1);
            INSERT INTO product VALUES (1, '77', 1, '', '0123456789abcdef', 1);
            INSERT INTO version VALUES (1, 1, 'V2', '', 1, '{digest}', {len(blob)}, 1, 1, NULL);
            INSERT INTO version VALUES (2, 1, 'V3', '', 0, '{digest}', {len(blob)}, 1, NULL, NULL);
            INSERT INTO deployment VALUES (1, 1, 1, 1, 1, NULL);""")
    db.close()
    (data / "admin-token").write_text("token\n")


def test_versions_of_before_are_offered_when_they_are_signed(build, tmp_path):
    old_data(tmp_path)
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        made = Release.__new__(Release)
        made.cloud, made.name, made.product, made.secret, made.version = cloud, "V2", "77", "0123456789abcdef", 1
        made.keys = [suit.Key()]
        assert made.offer()["result"] == 1
        assert made.get()["manifest"] is None and made.get()["state"] == "published"
        assert "1 published version has no manifest" in cloud.log()
        refused(made.publish(), 409, "no manifest")
        refused(made.publish(2), 409, "no manifest")
        assert made.tell(made.keys[0]).status == 201
        refused(made.put(made.envelope(data=OTHER)), 422, "new version name")
        envelope = made.envelope()
        assert made.put(envelope).json["package"]["digest"] == DIGEST
        offer = made.offer()
        assert (offer["result"], offer["manifest"], offer["deployment"]) == (0, envelope, "d1")
        assert made.put(made.envelope(2, version="V3"), 2).json["package"]["digest"] == DIGEST
        assert made.publish(2).status == 200
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        made.cloud = cloud
        assert made.offer()["manifest"] == envelope
