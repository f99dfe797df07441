# SPDX-License-Identifier: Apache-2.0
"""The device API of the real platform. Messages are made and read by lib/wire.py, which has no
line in common with the platform: where the two agree, both follow the specification."""

import os
import time
import urllib.request

import cbor2
import pytest

from lib import wire
from lib.cloud import Cloud
from lib.device import Device
from lib.world import image

SIZE = 10_000


class Fleet:
    """A product on a platform with one published version, and devices of it."""

    def __init__(self, cloud, version="V2", **fields):
        self.cloud, self.product = cloud, cloud.product()
        self.data = image(SIZE)
        self.version = self.product.publish(version, self.data, **fields)

    def device(self, **changes):
        p = self.product
        return Device(**({"url": self.cloud.url, "product": p.product, "secret": p.secret, "oem": p.oem,
                          "model": p.model, "device": f"86{time.monotonic_ns()}", "version": "V1"} | changes))

    def counts(self, deployment):
        return self.cloud.ok("GET", f"deployments/{deployment}")["counts"]


@pytest.fixture
def fleet(cloud):
    return Fleet(cloud)


@pytest.fixture
def own_cloud(build, tmp_path):
    """A platform that this test alone uses."""
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        yield cloud


def result(answer):
    status, fields = answer
    assert status == 200, answer
    return fields["result"]


def test_an_offer_has_all_that_a_module_needs(fleet):
    status, offer = fleet.device().check("V2")
    assert status == 200 and offer["result"] == 0
    assert set(offer) == {"result", "time", "deployment", "manifest", "url", "size", "digest", "encoding"}
    assert offer["digest"].hex() == fleet.version["package"]["digest"] and offer["size"] == SIZE
    assert offer["url"].startswith("/device/v1/package/") and offer["encoding"] == 0
    assert abs(offer["time"] - time.time()) < 30


def test_only_this_request_can_have_this_answer(fleet):
    device = fleet.device()
    first, second = (wire.seal(device.secret, device.kid, wire.keyed(device.check_fields("V2"))) for _ in range(2))
    _, answer = device.post(wire.CHECK_PATH, first)
    wire.unseal(device.secret, answer, wire.take_apart(first)[2])
    with pytest.raises(wire.WireError):
        wire.unseal(device.secret, answer, wire.take_apart(second)[2])
    assert wire.take_apart(answer)[0] == device.kid


@pytest.mark.parametrize("name", ["nonce", "time", "oem", "model", "device", "version", "target", "slot", "accept"])
def test_a_missing_field_is_told(fleet, name):
    assert result(fleet.device().check("V2", {name: None})) == 4


@pytest.mark.parametrize("changes", [
    {"nonce": b"short"}, {"oem": ""}, {"oem": "x" * 65}, {"device": "x" * 65}, {"version": "x" * 129},
    {"target": 7}, {"slot": -1}, {"slot": "1"}, {"time": "now"}, {"accept": 0}, {"accept": ["x"]},
    {"attributes": {str(i): "" for i in range(17)}}, {"attributes": {7: "x"}}, {"attributes": []}])
def test_a_malformed_field_is_told(fleet, changes):
    assert result(fleet.device().check("V2", changes)) == 2


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xa0\x00", b"\xbf\xff", b"\xa1\x18\x01\x00", b"\xf9\x00\x00"])
def test_an_authentic_payload_that_is_no_map_is_told(fleet, payload):
    assert result(fleet.device().exchange(wire.CHECK_PATH, None, payload)) in (2, 4)


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xd1", os.urandom(100), b"\xd1\x84\x40\xa0\x40\x40",
                                  cbor2.dumps([1, 2, 3]), b"\x9f" * 2000])
def test_what_is_no_message_is_refused_without_a_word(fleet, body):
    for path in (wire.CHECK_PATH, wire.REPORT_PATH):
        assert fleet.device().post(path, body) == (400, b"")


def test_messages_that_nobody_sealed_are_refused_alike(fleet):
    """Unknown product, wrong secret, changed bytes: the same answer, and nothing noted."""
    device = fleet.device()
    message = wire.seal(device.secret, device.kid, wire.keyed(device.check_fields("V2")))
    forged = [wire.seal(b"x" * 32, device.kid, wire.keyed(device.check_fields("V2"))),
              wire.seal(device.secret, b"42", wire.keyed(device.check_fields("V2"))),
              wire.seal(b"00000000000000000000000000000000", b"42", wire.keyed(device.check_fields("V2"))),
              message[:-1] + bytes([message[-1] ^ 1])]
    assert {device.post(wire.CHECK_PATH, body) for body in forged} == {(403, b"")}
    assert fleet.cloud.ok("GET", f"devices?device={device.names['device']}")["items"] == []


def test_every_changed_byte_is_noticed(fleet):
    device = fleet.device()
    message = wire.seal(device.secret, device.kid, wire.keyed(device.check_fields("V2")))
    for at in range(len(message)):
        changed = bytearray(message)
        changed[at] ^= 1 << at % 8
        status, body = device.post(wire.CHECK_PATH, bytes(changed))
        assert status in (400, 403) and body == b"", at


def test_a_time_too_far_off_is_refused_with_the_platforms_own(fleet):
    now = int(time.time())
    for offset, expected in [(-290, 0), (290, 0), (-310, 7), (310, 7), (-now, 7)]:
        status, answer = fleet.device().check("V2", {"time": now + offset})
        assert (status, answer["result"]) == (200, expected), offset
        assert abs(answer["time"] - time.time()) < 30
    status, answer = fleet.device().report("d1", 3, time=now - 310)
    assert (status, answer["result"]) == (200, 7)


def test_a_replayed_check_changes_nothing(fleet):
    device = fleet.device()
    message = wire.seal(device.secret, device.kid, wire.keyed(device.check_fields("V2")))
    answers = {device.post(wire.CHECK_PATH, message)[0] for _ in range(3)}
    assert answers == {200}
    assert len(fleet.cloud.ok("GET", f"devices?device={device.names['device']}")["items"]) == 1


def test_sources_are_chosen_by_from(cloud):
    fleet = Fleet(cloud, "V3", **{"from": ["V1", "V2"]})
    fleet.product.draft("V2.5")
    assert result(fleet.device(version="V1").check("V3")) == 0
    assert result(fleet.device(version="V2").check("V3")) == 0
    assert result(fleet.device(version="V2.5").check("V3")) == 1
    assert result(fleet.device(version="V0").check("V3")) == 5
    assert result(fleet.device(version="V3").check("V3")) == 1


def test_offers_follow_publish_close_and_withdraw(fleet):
    device, cloud, number = fleet.device(), fleet.cloud, fleet.version["id"]
    draft = fleet.product.draft("V3")
    assert result(device.check("V3")) == 1
    deployment = device.check("V2")[1]["deployment"]
    cloud.ok("POST", f"deployments/{deployment}/close", {})
    assert result(device.check("V2")) == 1
    cloud.ok("POST", f"deployments/{deployment}/open", {})
    assert device.check("V2")[1]["deployment"] == deployment
    cloud.ok("POST", f"versions/{number}/withdraw", {})
    assert result(device.check("V2")) == 1
    cloud.ok("POST", f"versions/{number}/publish", {})
    assert device.check("V2")[1]["deployment"] not in (deployment, "")
    cloud.put_package(draft["id"], b"x")
    cloud.ok("POST", f"versions/{draft['id']}/publish", {})
    assert result(device.check("V3")) == 0


def test_a_package_larger_than_the_slot_is_offered(fleet):
    assert result(fleet.device().check("V2", {"slot": 1})) == 0


def test_a_module_that_takes_no_full_image_gets_none(fleet):
    assert result(fleet.device().check("V2", {"accept": [7]})) == 1
    assert result(fleet.device().check("V2", {"accept": [7, 0]})) == 0


def test_a_report_is_counted_once_and_the_latest_counts(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]
    same = device.report_fields(deployment, 2, received=5)
    for _ in range(3):
        assert result(device.exchange(wire.REPORT_PATH, same)) == 0
    assert fleet.counts(deployment) == {"downloading": 1}
    assert result(device.report(deployment, 3, code=3)) == 0
    assert result(device.exchange(wire.REPORT_PATH, same)) == 0
    assert fleet.counts(deployment) == {"downloaded": 1}
    assert len(fleet.cloud.ok("GET", f"deployments/{deployment}/reports")["items"]) == 2
    other = fleet.device()
    assert result(other.exchange(wire.REPORT_PATH, same | {"device": other.names["device"]})) == 0
    assert fleet.counts(deployment) == {"downloading": 1, "downloaded": 1}


def test_installed_counts_from_the_new_version_only(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]
    assert result(device.report(deployment, 3)) == 0
    assert result(device.report(deployment, 5, version="V1")) == 0
    assert fleet.counts(deployment) == {"downloaded": 1}
    assert result(device.report(deployment, 5, version="V2")) == 0
    assert fleet.counts(deployment) == {"installed": 1}


def test_an_upgrade_is_counted_from_download_to_installation(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]
    for state, version, counted in [(3, "V1", "downloaded"), (4, "V1", "installing"), (5, "V2", "installed")]:
        assert result(device.report(deployment, state, version=version)) == 0
        assert fleet.counts(deployment) == {counted: 1}
    back = fleet.device()
    for state, counted in [(3, "downloaded"), (4, "installing"), (6, "rolled_back")]:
        assert result(back.report(deployment, state)) == 0
        assert fleet.counts(deployment) == {"installed": 1, counted: 1}


def test_reports_in_odd_order_do_not_lead_back(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]
    installed = device.report_fields(deployment, 5, version="V2")
    assert result(device.exchange(wire.REPORT_PATH, installed)) == 0
    for state in (1, 2, 3, 4, 6, 7, 8):
        assert result(device.report(deployment, state, version="V1")) == 0
        assert fleet.counts(deployment) == {"installed": 1}
    assert result(device.exchange(wire.REPORT_PATH, installed)) == 0
    assert fleet.counts(deployment) == {"installed": 1}
    assert len(fleet.cloud.ok("GET", f"deployments/{deployment}/reports")["items"]) == 8
    assert fleet.cloud.ok("GET", f"devices?device={device.names['device']}")["items"][0]["version"] == "V2"


def test_a_device_runs_what_its_report_says(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]

    def version():
        return fleet.cloud.ok("GET", f"devices?device={device.names['device']}")["items"][0]["version"]

    # The check was not written yet when the reports came.
    assert result(device.report(deployment, 3)) == 0
    last = device.report_fields(deployment, 5, version="V2")
    assert result(device.exchange(wire.REPORT_PATH, last)) == 0
    assert version() == "V2"
    # Back by a cable: the check says so, though it says what the last check said.
    assert result(device.check("V2")) == 0
    assert version() == "V1"
    # The report of before, sent twice, is no news.
    assert result(device.exchange(wire.REPORT_PATH, last)) == 0
    assert version() == "V1"


def test_a_report_of_a_closed_deployment_counts(fleet):
    device = fleet.device()
    deployment = device.check("V2")[1]["deployment"]
    fleet.cloud.ok("POST", f"versions/{fleet.version['id']}/withdraw", {})
    assert result(device.report(deployment, 7, code=513)) == 0
    assert fleet.counts(deployment) == {"failed": 1}


def test_a_report_of_a_deployment_that_is_not_the_products_is_refused(fleet, cloud):
    others = Fleet(cloud).device().check("V2")[1]["deployment"]
    for deployment in (others, "d999999999", "d0", "x", "d", "d1x"):
        assert result(fleet.device().report(deployment, 3)) == 2
    assert fleet.counts(others) == {}


@pytest.mark.parametrize("changes,expected", [
    ({"id": None}, 4), ({"state": None}, 4), ({"deployment": None}, 4), ({"device": None}, 4), ({"version": None}, 4),
    ({"id": b"short"}, 2), ({"state": "x"}, 2), ({"received": -1}, 2)])
def test_a_report_with_bad_fields_is_told(fleet, changes, expected):
    device = fleet.device()
    fields = device.report_fields("d1", 3) | changes
    fields = {name: value for name, value in fields.items() if value is not None}
    assert result(device.exchange(wire.REPORT_PATH, fields)) == expected


def test_the_largest_message_is_answered(fleet):
    device = fleet.device()
    attributes = {f"{i:064d}": "v" * 30 for i in range(16)}
    fields = device.check_fields("V2", {"attributes": attributes})
    message = wire.seal(device.secret, device.kid, wire.keyed(fields))
    assert 1700 < len(message) <= 2048
    assert device.post(wire.CHECK_PATH, message)[0] == 200


def test_links_are_stable_and_end(build, tmp_path):
    with Cloud(build / "cloud/atfota-cloud", tmp_path, "--link-lifetime", "1") as cloud:
        device = Fleet(cloud).device()
        url = device.check("V2")[1]["url"]
        assert device.get(url)[0] == 200
        path, _, query = url.partition("?")
        expiry, mac = (part.split("=")[1] for part in query.split("&"))
        for bad in (path, f"{path}?e={expiry}", f"{path}?m={mac}", f"{path}?e={int(expiry) + 1}&m={mac}",
                    f"{path}?e={expiry}&m={mac[:-1]}0" if mac[-1] != "0" else f"{path}?e={expiry}&m={mac[:-1]}1",
                    f"{path[:-1]}x?{query}", "/device/v1/package/x?" + query,
                    f"/device/v1/package/{'0' * 64}?{query}"):
            assert device.get(bad)[0] == 403, bad
        time.sleep(max(0, int(expiry) + 1.1 - time.time()))
        assert device.get(url)[0] == 403


def test_links_survive_a_restart(own_cloud):
    device = Fleet(own_cloud).device()
    url = device.check("V2")[1]["url"]
    own_cloud.stop()
    own_cloud.start()
    device.url = own_cloud.url
    assert device.get(url)[0] == 200
    assert device.check("V2")[1]["url"] == url


def test_links_can_lead_to_another_place(build, tmp_path):
    with Cloud(build / "cloud/atfota-cloud", tmp_path, "--public-url", "https://cdn.example/fw") as cloud:
        url = Fleet(cloud).device().check("V2")[1]["url"]
        assert url.startswith("https://cdn.example/fw/device/v1/package/")


RANGES = [
    ("bytes=0-", None, 206, 0, SIZE), ("bytes=4000-", None, 206, 4000, SIZE), ("bytes=0-0", None, 206, 0, 1),
    ("bytes=-100", None, 206, SIZE - 100, SIZE), ("bytes=100-20000", None, 206, 100, SIZE),
    ("bytes=4000-", "etag", 206, 4000, SIZE), ("bytes=4000-", '"other"', 200, 0, SIZE),
    ("bytes=2-1", None, 200, 0, SIZE), ("bytes=0-1,3-4", None, 200, 0, SIZE), ("lines=0-1", None, 200, 0, SIZE)]


@pytest.mark.parametrize("wanted,if_range,status,start,end", RANGES)
def test_ranges_of_a_package(fleet, wanted, if_range, status, start, end):
    device = fleet.device()
    url = device.check("V2")[1]["url"]
    etag = f'"{fleet.version["package"]["digest"]}"'
    headers = {"Range": wanted} | ({"If_Range": etag if if_range == "etag" else if_range} if if_range else {})
    got, answer, body = device.get(url, **headers)
    assert (got, body) == (status, fleet.data[start:end])
    assert answer["ETag"] == etag and answer["Accept-Ranges"] == "bytes"
    assert answer.get("Content-Range") == (f"bytes {start}-{end - 1}/{SIZE}" if status == 206 else None)


def test_a_range_behind_the_end_is_refused_with_the_size(fleet):
    device = fleet.device()
    url = device.check("V2")[1]["url"]
    status, headers, body = device.get(url, Range=f"bytes={SIZE}-")
    assert (status, headers["Content-Range"], body) == (416, f"bytes */{SIZE}", b"")


def test_head_gives_size_and_tag(fleet):
    url = fleet.device().check("V2")[1]["url"]
    for headers in ({}, {"Range": "bytes=5-"}):
        answer = fleet.cloud.request("HEAD", url, token=None, headers=headers)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Length"] == str(SIZE)
        assert answer.headers["ETag"] == f'"{fleet.version["package"]["digest"]}"'


def test_pieces_on_one_connection_make_the_package(fleet):
    url = fleet.device().check("V2")[1]["url"]
    connection, got = fleet.cloud.connect(), b""
    while len(got) < SIZE:
        connection.request("GET", url, headers={"Range": f"bytes={len(got)}-{len(got) + 2047}"})
        got += connection.getresponse().read()
    connection.close()
    assert got == fleet.data


def flushed(cloud, quiet_s=2.2, limit_s=30):
    """The database after what waits was written: when it stays the same for two flushes."""
    end, before = time.monotonic() + limit_s, None
    while (now := cloud.database_state()) != before:
        assert time.monotonic() < end, "it is written without an end"
        before = now
        time.sleep(quiet_s)
    return now


def test_an_idle_check_writes_nothing(build, tmp_path):
    with Cloud(build / "cloud/atfota-cloud", tmp_path, "--flush-interval", "1") as cloud:
        device = Fleet(cloud).device(version="V2")
        assert result(device.check("V2")) == 1
        cloud.ok("GET", "devices")
        before = flushed(cloud)
        for _ in range(50):
            assert result(device.check("V2")) == 1
        time.sleep(2.2)  # two flushes
        assert cloud.database_state() == before
        # The same comparison sees a check that is not idle.
        assert result(device.check("V3")) == 1
        assert flushed(cloud) != before


def test_devices_are_kept_over_a_restart(own_cloud):
    fleet = Fleet(own_cloud)
    device = fleet.device()
    device.check("V2")
    own_cloud.stop()
    own_cloud.start()
    found, = own_cloud.ok("GET", f"devices?device={device.names['device']}")["items"]
    assert (found["version"], found["target"]) == ("V1", "V2")


def test_a_transfer_that_runs_outlives_the_withdrawal_of_its_version(cloud):
    """What a module has begun it may finish: its host decides. Nobody begins anew."""
    product = cloud.product()
    data = image(16_000_000)  # more than the sockets hold
    version = product.publish("V2", data)
    device = Device(cloud.url, product.product, product.secret, product.oem, product.model, version="V1")
    offer = device.check("V2")[1]
    with urllib.request.urlopen(cloud.url + offer["url"], timeout=30) as answer:
        begin = answer.read(1000)
        cloud.ok("POST", f"versions/{version['id']}/withdraw", {})
        assert result(device.check("V2")) == 1
        assert begin + answer.read() == data
    assert result(device.report(offer["deployment"], 3)) == 0
