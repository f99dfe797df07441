# SPDX-License-Identifier: Apache-2.0
"""Authentic answers, usual and odd: what the module makes of each. Only a small
platform of our own can give most of them."""

import time

import cbor2
import pytest

from lib import wire
from lib.codes import TEXT
from lib.miniplatform import ANEW
from lib.world import MIB, TARGET, image

REFUSALS = [(1, 5), (2, 302), (3, 401), (4, 403), (5, 404), (6, 405)]


@pytest.mark.parametrize("refusal,code", REFUSALS)
def test_a_refusal_of_the_platform_causes_its_code(mini, refusal, code):
    module, host = mini.ready()
    mini.platform.refuse(refusal)
    assert mini.run(host) == [code]
    assert host.last() == (code, TEXT[code], "check", TARGET)
    module.restart()
    host = mini.host(module)
    assert host.last() == (code, TEXT[code], "check", TARGET)
    assert mini.run(host) == [2, 3]


def test_busy_is_waited_for_as_long_as_the_platform_says(mini):
    _, host = mini.ready()
    mini.platform.refuse(8, retry_after=1)
    assert mini.run(host) == [2, 3]
    first, second = [entry.at for entry in mini.net.entries("check")]
    assert 0.95 <= second - first < 10


def test_busy_without_an_end_meets_the_time_limit_of_the_session(mini):
    _, host = mini.ready("--session-limit", "2")
    mini.platform.refuse(8, times=100, retry_after=1)
    assert mini.run(host) == [509]


def test_a_wrong_clock_is_set_right_by_the_refusal(mini):
    mini.platform.clock_offset_s = 7200
    _, host = mini.ready()
    assert mini.run(host) == [2, 3]
    times = [check["time"] for check in mini.platform.checks]
    assert len(times) == 2 and 7170 < times[1] - times[0] < 7230
    assert mini.run(host) == [2, 3]
    assert len(mini.platform.checks) == 3, "the offset is kept"


def test_a_clock_that_stays_wrong_is_the_platforms_fault(mini):
    _, host = mini.ready()
    mini.platform.refuse(7, times=2)
    assert mini.run(host) == [402]


def test_the_requests_are_what_the_specification_says(mini):
    _, host = mini.ready()
    assert mini.run(host) == [2, 3]
    check = mini.platform.checks[0]
    assert len(check["nonce"]) == 16 and abs(check["time"] - time.time()) < 30
    assert (check["oem"], check["model"]) == (mini.platform.oem, mini.platform.model)
    assert (check["device"], check["version"], check["target"]) == ("860000000000019", "V1.00", TARGET)
    assert check["accept"] == [0] and check["slot"] >= len(mini.image)
    assert not [key for key in check if isinstance(key, int)], "unknown keys"
    for entry in mini.net.entries("check") + mini.net.entries("report"):
        assert entry.request.headers["content-type"] == wire.CONTENT_TYPE
        assert len(entry.request.body) <= 2048
        assert mini.platform.secret not in entry.request.body
    nonces = [message["nonce"] for message in mini.platform.checks + mini.platform.reports]
    assert len(set(nonces)) == len(nonces)


# Answers that name a package, each changed in one way.

def with_(**fields):
    return lambda answer, _: answer | fields


def without(name):
    return lambda answer, _: {key: value for key, value in answer.items() if key != name}


def raw(change):
    """The payload's bytes, changed."""
    return lambda answer, _: change(wire.keyed(answer))


def longer_integer(data):
    """result 0 as 0x18 0x00: a number that is not in its shortest form."""
    key = bytes([wire.KEYS["result"]])
    return data.replace(key + b"\x00", key + b"\x18\x00", 1)


def unordered(data):
    """The same map with its keys in descending order."""
    pairs = sorted(cbor2.loads(data).items(), reverse=True)
    return bytes([0xA0 + len(pairs)]) + b"".join(wire.encode(k) + wire.encode(v) for k, v in pairs)


def signed(**fields):
    """Other fields, which the manifest agrees with."""
    return with_(manifest=ANEW, **fields)


ODD = [
    ("size larger than the slot", signed(size=1 << 50), [301]),
    ("size 0", with_(size=0), [506]),
    ("wrong digest", signed(digest=bytes(32)), [2, 306]),
    ("size smaller than the package", signed(size=1000), [2, 306]),
    ("short digest", with_(digest=bytes(31)), [506]),
    ("digest of a wrong type", with_(digest="x" * 32), [506]),
    ("no digest", without("digest"), [506]),
    ("no size", without("size"), [506]),
    ("no url", without("url"), [506]),
    ("no deployment", without("deployment"), [506]),
    ("no time", without("time"), [506]),
    ("no result", without("result"), [506]),
    ("empty url", with_(url=""), [506]),
    ("url of a scheme not allowed", with_(url="ftp://127.0.0.1/x"), [2, 501]),
    ("url that cannot be parsed", with_(url="http://[bad/x"), [2, 501]),
    ("url of a name that does not resolve", with_(url="http://no-such-host.invalid/x"), [2, 502]),
    ("url of a file", with_(url="file:///etc/hostname"), [2, 501]),
    ("encoding that was not offered", with_(encoding=7), [506]),
    ("result that nobody knows", with_(result=99), [506]),
    ("long form of an integer", raw(longer_integer), [506]),
    ("keys out of order", raw(unordered), [506]),
    ("bytes after the payload", raw(lambda data: data + b"\0"), [506]),
    ("payload cut short", raw(lambda data: data[:-1]), [506]),
    ("payload empty", lambda *_: b"", [506]),
    ("payload that is no map", lambda *_: b"\x01", [506]),
    ("a float among unknown keys", lambda answer, _: _with_float(answer), [506]),
]


def _with_float(answer):
    data = wire.keyed(answer)
    return bytes([data[0] + 1]) + data[1:] + b"\x18\x63\xfb" + bytes(8)


@pytest.mark.parametrize("change,codes", [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_an_odd_answer_is_refused_with_its_code(mini, change, codes):
    _, host = mini.ready()
    mini.platform.script(change, times=5)
    assert mini.run(host) == codes
    mini.platform.unscript()
    assert mini.run(host) == [2, 3]


FINE = [
    ("unknown keys", lambda answer, _: answer | {99: "later", 100: [1, {2: b"x"}]}),
    ("a retry_after that is not needed", with_(retry_after=5)),
]


@pytest.mark.parametrize("change", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_an_odd_answer_is_good_enough(mini, change):
    module, host = mini.ready()
    mini.platform.script(change)
    assert mini.run(host) == [2, 3]
    assert mini.slot_holds(module, mini.image)


def test_an_absolute_url_is_followed(mini):
    _, host = mini.ready()
    elsewhere = mini.server()
    mini.platform.script(lambda answer, _: answer | {"url": elsewhere.url + answer["url"]})
    assert mini.run(host) == [2, 3]
    assert not mini.packages() and elsewhere.entries("package")


def test_an_image_of_one_byte_is_an_image(mini):
    module, host = mini.ready(size=1)
    assert mini.run(host) == [2, 3]
    assert mini.slot_holds(module, mini.image)


@pytest.mark.parametrize("size", [4095, 4096, 4097, MIB - 1, 5 * MIB + 3])
def test_images_of_any_size_are_stored(mini, size):
    module, host = mini.ready(size=size)
    assert mini.run(host) == [2, 3]
    assert mini.slot_holds(module, mini.image)


def test_names_of_full_length_and_utf8_travel(mini):
    mini.platform.oem, mini.platform.model = "ü" * 32, "模" * 21 + "x"
    mini.platform.product, mini.platform.secret = b"9" * 20, b"!#~{}" * 12 + b"abcd"
    target = "é" * 64
    mini.platform.publish(target, image(1000))
    identity = ["--device", "d" * 64, "--oem", "ü" * 32, "--model", "模" * 21 + "x", "--firmware-version", "v" * 128]
    module = mini.module(identity=identity)
    host = mini.host(module)
    assert mini.run(host, target=target) == [2, 3]
    assert host.last() == (3, TEXT[3], "verify", target)
