# SPDX-License-Identifier: Apache-2.0
"""The same questions to the real platform and to the small one in Python: where two
implementations of one specification differ, one of them is wrong."""

import time

import pytest

from lib import wire
from lib.device import Device
from lib.world import TARGET

SIZE = 10_000


def device(world, **changes):
    p = world.platform
    values = {"product": world.text(p.product), "secret": world.text(p.secret), "oem": p.oem, "model": p.model}
    return Device(world.net.url, **(values | changes))


@pytest.fixture(params=["mini", "world"])
def any_world(request):
    world = request.getfixturevalue(request.param)
    world.publish(SIZE)
    return world


CHECKS = [
    ("an offer", {}, 0),
    ("a module without a clock, which learns the time", {"time": 0}, 7),
    ("attributes", {"attributes": {"hw": "A39", "operator": "46001"}}, 0),
    ("an unknown key", {99: [1, {"x": b"y"}]}, 0),
    ("the target runs already", {"version": TARGET}, 1),
    ("a target that nobody published", {"target": "V9"}, 1),
    ("another OEM", {"oem": "OTHER"}, 3),
    ("another model", {"model": "OTHER"}, 3),
    ("a clock that is fast", {"time": int(time.time()) + 4000}, 7),
    ("a clock that is slow", {"time": int(time.time()) - 4000}, 7),
]


@pytest.mark.parametrize("changes,result", [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
def test_a_check_is_answered_alike(any_world, changes, result):
    status, answer = device(any_world).check(TARGET, changes)
    assert (status, answer["result"]) == (200, result)
    assert abs(answer["time"] - time.time()) < 30
    if result == 0:
        assert answer["size"] == SIZE and answer["encoding"] == 0 and answer["deployment"] and answer["url"]


def test_a_wrong_secret_and_an_unknown_product_look_alike(any_world):
    wrong = device(any_world, secret="x" * 32).check(TARGET)
    unknown = device(any_world, product="77").check(TARGET)
    assert wrong == unknown == (403, b"")


@pytest.mark.parametrize("at", [0, 10, 60, -40, -1])
def test_a_tampered_request_is_not_answered(any_world, at):
    d = device(any_world)
    message = bytearray(wire.seal(d.secret, d.kid, wire.keyed(d.check_fields(TARGET))))
    message[at] ^= 1
    status, body = d.post(wire.CHECK_PATH, bytes(message))
    assert status in (400, 403) and not body


def test_a_message_of_another_type_is_not_taken(any_world):
    d = device(any_world)
    message = wire.seal(d.secret, d.kid, wire.keyed(d.check_fields(TARGET)))
    assert d.post(wire.CHECK_PATH, message, "application/octet-stream")[0] == 415


def test_a_package_is_served_whole_and_in_ranges(any_world):
    d = device(any_world)
    _, offer = d.check(TARGET)
    etag = f'"{offer["digest"].hex()}"'
    status, headers, body = d.get(offer["url"])
    assert (status, body, headers["ETag"]) == (200, any_world.image, etag)
    status, headers, body = d.get(offer["url"], Range="bytes=4000-", If_Range=etag)
    assert (status, body) == (206, any_world.image[4000:])
    assert headers["Content-Range"] == f"bytes 4000-{SIZE - 1}/{SIZE}"
    assert d.get(offer["url"], Range="bytes=4000-", If_Range='"other"')[0] == 200
    status, headers, _ = d.get(offer["url"], Range=f"bytes={SIZE}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")


def test_a_report_counts_once_however_often_it_comes(any_world):
    d = device(any_world)
    _, offer = d.check(TARGET)
    fields = d.report_fields(offer["deployment"], 3, code=3)
    for _ in range(3):
        status, answer = d.exchange(wire.REPORT_PATH, fields | {"nonce": b"\0" * 16})
        assert (status, answer["result"]) == (200, 0)
    d.report(offer["deployment"], 7, code=513)
    assert sorted(any_world.platform.final_reports()) == [(3, 3), (7, 513)]
