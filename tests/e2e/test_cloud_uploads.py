# SPDX-License-Identifier: Apache-2.0
"""Packages on their way in: one shot and in pieces, over breaks, wrong bytes and restarts."""

import base64
import hashlib
import socket
import subprocess
import time
import urllib.parse

import pytest

from lib.cloud import Cloud
from lib.device import Device
from lib.world import image

SIZE = 3_000_000  # several buffers of the platform, and not a multiple of one


@pytest.fixture
def draft(cloud):
    return cloud.product().draft("V1")


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def begin(cloud, version, data):
    cloud.sign(version, data)
    return cloud.ok("POST", f"versions/{version}/uploads", {"size": len(data), "digest": digest_of(data)})


def patch(cloud, upload, data, offset):
    return cloud.request("PATCH", f"uploads/{upload['id']}", data, headers={"Upload-Offset": str(offset)})


def break_off(cloud, method, path, headers, data, length):
    """Sends a head with Content-Length `length` and only `data` of the body, then cuts the line."""
    place = urllib.parse.urlsplit(cloud.url)
    head = f"{method} /api/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cloud.token}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((place.hostname, place.port)) as sock:
        sock.sendall(head.encode() + f"Content-Length: {length}\r\n\r\n".encode() + data)
        time.sleep(0.3)


def wait_for_offset(cloud, upload, offset, limit_s=30):
    end = time.monotonic() + limit_s
    while cloud.ok("GET", f"uploads/{upload['id']}")["offset"] != offset:
        assert time.monotonic() < end, cloud.ok("GET", f"uploads/{upload['id']}")
        time.sleep(0.02)


def stored(cloud, data):
    """The blob's bytes, if there is one."""
    name = digest_of(data)
    path = cloud.data / "blobs" / name[:2] / name[2:]
    return path.read_bytes() if path.exists() else None


def test_a_package_is_put_in_one_shot(cloud, draft):
    data = image(SIZE, seed=11)
    value = base64.b64encode(hashlib.sha256(data).digest()).decode()
    version = cloud.put_package(draft["id"], data, headers={"Repr-Digest": f"sha-512=:AAAA:, sha-256=:{value}:"})
    assert version["package"] == {"digest": digest_of(data), "size": SIZE} and version["state"] == "draft"
    assert stored(cloud, data) == data


def test_a_draft_can_get_another_package(cloud, draft):
    for seed in (1, 2):
        data = image(1000, seed)
        version = cloud.put_package(draft["id"], data)
        assert version["package"]["digest"] == digest_of(data)


def test_a_package_with_another_digest_is_refused(cloud, draft):
    data = image(10_000, seed=12)
    value = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    cloud.sign(draft["id"], data)
    answer = cloud.request("PUT", f"versions/{draft['id']}/package", data,
                           headers={"Repr-Digest": f"sha-256=:{value}:"})
    assert answer.status == 422 and stored(cloud, data) is None
    assert cloud.ok("GET", f"versions/{draft['id']}")["package"] is None
    cloud.sign(draft["id"], b"x")
    for bad in ("sha-256=:AAAA:", "sha-256=:" + value, f"sha-256=:{value[:-1]}?:"):
        answer = cloud.request("PUT", f"versions/{draft['id']}/package", b"x", headers={"Repr-Digest": bad})
        assert answer.status == 400, bad


def test_an_empty_package_is_refused(cloud, draft):
    cloud.sign(draft["id"], b"x")
    assert cloud.request("PUT", f"versions/{draft['id']}/package", b"").status == 422


def test_a_package_without_length_is_refused(cloud, draft):
    cloud.sign(draft["id"], b"x")
    place = urllib.parse.urlsplit(cloud.url)
    with socket.create_connection((place.hostname, place.port)) as sock:
        sock.sendall(f"PUT /api/v1/versions/{draft['id']}/package HTTP/1.1\r\nHost: x\r\n"
                     f"Authorization: Bearer {cloud.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "1\r\nx\r\n0\r\n\r\n".encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 411 ")


def test_a_put_that_broke_leaves_nothing(cloud, draft):
    before = set((cloud.data / "uploads").iterdir())
    data = image(SIZE, seed=13)
    cloud.sign(draft["id"], data)
    break_off(cloud, "PUT", f"versions/{draft['id']}/package", {}, data[:1_000_000], SIZE)
    end = time.monotonic() + 5
    while set((cloud.data / "uploads").iterdir()) - before:
        assert time.monotonic() < end, "the rest of a broken PUT stays"
        time.sleep(0.02)
    assert cloud.ok("GET", f"versions/{draft['id']}")["package"] is None


@pytest.mark.parametrize("piece", [SIZE, 1 << 20, 262_144, 99_991])
def test_an_upload_in_pieces(cloud, draft, piece):
    data = image(SIZE, seed=piece)
    version = cloud.upload(draft["id"], data, piece)
    assert version["package"] == {"digest": digest_of(data), "size": SIZE}
    assert stored(cloud, data) == data
    assert not [path for path in (cloud.data / "uploads").iterdir() if path.stat().st_size == SIZE]


def test_an_upload_is_found_again(cloud, draft):
    data = image(5000, seed=21)
    upload = begin(cloud, draft["id"], data)
    assert upload == {"id": upload["id"], "version": draft["id"], "offset": 0, "size": 5000,
                      "digest": digest_of(data)}
    assert patch(cloud, upload, data[:2000], 0).json["offset"] == 2000
    again = cloud.request("POST", f"versions/{draft['id']}/uploads", {"size": 5000, "digest": digest_of(data)})
    assert again.status == 200 and again.json == upload | {"offset": 2000}
    assert cloud.ok("GET", f"uploads/{upload['id']}") == upload | {"offset": 2000}


def test_a_wrong_offset_is_told_the_right_one(cloud, draft):
    data = image(5000, seed=22)
    upload = begin(cloud, draft["id"], data)
    patch(cloud, upload, data[:2000], 0)
    for offset in (0, 1999, 2001, 5000):
        answer = patch(cloud, upload, data[:100], offset)
        assert answer.status == 409 and answer.json["offset"] == 2000
    for header in ({}, {"Upload-Offset": "x"}, {"Upload-Offset": "-1"}):
        assert cloud.request("PATCH", f"uploads/{upload['id']}", b"x", headers=header).status == 400
    assert patch(cloud, upload, data[2000:], 2000).json["offset"] == 5000


def test_more_bytes_than_declared_are_refused(cloud, draft):
    data = image(5000, seed=23)
    upload = begin(cloud, draft["id"], data)
    assert patch(cloud, upload, data + b"x", 0).status == 422
    assert cloud.ok("GET", f"uploads/{upload['id']}")["offset"] == 0


def test_an_upload_that_is_not_complete_cannot_be_finished(cloud, draft):
    data = image(5000, seed=24)
    upload = begin(cloud, draft["id"], data)
    patch(cloud, upload, data[:4999], 0)
    assert cloud.request("POST", f"uploads/{upload['id']}/finish", {}).status == 409
    patch(cloud, upload, data[4999:], 4999)
    assert cloud.ok("POST", f"uploads/{upload['id']}/finish", {})["package"]["size"] == 5000
    assert cloud.request("GET", f"uploads/{upload['id']}").status == 404


def test_wrong_bytes_are_thrown_away(cloud, draft):
    data = image(5000, seed=25)
    upload = begin(cloud, draft["id"], data)
    patch(cloud, upload, data[:-1] + bytes([data[-1] ^ 1]), 0)
    assert cloud.request("POST", f"uploads/{upload['id']}/finish", {}).status == 422
    assert cloud.request("GET", f"uploads/{upload['id']}").status == 404
    assert begin(cloud, draft["id"], data)["offset"] == 0
    assert cloud.upload(draft["id"], data)["package"]["digest"] == digest_of(data)


def test_what_arrived_before_a_break_counts(cloud, draft):
    data = image(SIZE, seed=26)
    upload = begin(cloud, draft["id"], data)
    break_off(cloud, "PATCH", f"uploads/{upload['id']}", {"Upload-Offset": "0"}, data[:1_234_567], SIZE)
    wait_for_offset(cloud, upload, 1_234_567)
    assert patch(cloud, upload, data[1_234_567:], 1_234_567).json["offset"] == SIZE
    assert cloud.ok("POST", f"uploads/{upload['id']}/finish", {})["package"]["digest"] == digest_of(data)


def test_bytes_that_are_there_need_not_be_sent(cloud):
    data = image(5000, seed=27)
    product = cloud.product()
    cloud.upload(product.draft("V1")["id"], data)
    other = product.draft("V2")
    cloud.sign(other["id"], data)
    answer = cloud.request("POST", f"versions/{other['id']}/uploads", {"size": 5000, "digest": digest_of(data)})
    assert answer.status == 201 and answer.json["offset"] == 5000
    done = cloud.ok("POST", f"uploads/{answer.json['id']}/finish", {})
    assert done["id"] == other["id"] and done["package"]["digest"] == digest_of(data)


def test_an_upload_is_deleted(cloud, draft):
    upload = begin(cloud, draft["id"], image(5000, seed=28))
    patch(cloud, upload, b"x" * 100, 0)
    assert cloud.request("DELETE", f"uploads/{upload['id']}").status == 204
    assert cloud.request("GET", f"uploads/{upload['id']}").status == 404
    assert cloud.request("DELETE", f"uploads/{upload['id']}").status == 404
    end = time.monotonic() + 5
    while (cloud.data / "uploads" / upload["id"]).exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("body", [
    {}, {"size": 0, "digest": "0" * 64}, {"size": -1, "digest": "0" * 64}, {"size": "5", "digest": "0" * 64},
    {"size": 5}, {"size": 5, "digest": "0" * 63}, {"size": 5, "digest": "g" * 64}, {"size": 1.5, "digest": "0" * 64}])
def test_a_bad_declaration_is_named(cloud, draft, body):
    cloud.sign(draft["id"], b"x")
    assert cloud.request("POST", f"versions/{draft['id']}/uploads", body).status == 422


def test_a_published_version_takes_no_upload(cloud):
    product = cloud.product()
    version = product.publish("V1", b"first")
    body = {"size": 5, "digest": digest_of(b"other")}
    assert cloud.request("POST", f"versions/{version['id']}/uploads", body).status == 409


def test_an_upload_that_was_overtaken_by_publish_is_refused(cloud):
    product = cloud.product()
    draft = product.draft("V1")
    data = image(5000, seed=29)
    upload = begin(cloud, draft["id"], data)
    patch(cloud, upload, data, 0)
    cloud.put_package(draft["id"], b"another")
    cloud.ok("POST", f"versions/{draft['id']}/publish", {})
    assert cloud.request("POST", f"uploads/{upload['id']}/finish", {}).status == 409
    assert cloud.ok("GET", f"versions/{draft['id']}")["package"]["digest"] == digest_of(b"another")


def test_a_restart_keeps_what_was_uploaded(build, tmp_path):
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        data = image(SIZE, seed=30)
        draft = cloud.product().draft("V1")
        upload = begin(cloud, draft["id"], data)
        patch(cloud, upload, data[:2_000_000], 0)
        cloud.stop()
        cloud.start()
        assert cloud.ok("GET", f"uploads/{upload['id']}")["offset"] == 2_000_000
        assert cloud.upload(draft["id"], data)["package"]["digest"] == digest_of(data)


def test_a_start_removes_what_nobody_needs(build, tmp_path):
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        product, kept = cloud.product(), image(1000, seed=31)
        cloud.upload(product.draft("V1")["id"], kept)
        dropped, gone = image(1000, seed=32), product.draft("V2")
        cloud.upload(gone["id"], dropped)
        open_upload = begin(cloud, product.draft("V3")["id"], image(1000, seed=33))
        patch(cloud, open_upload, b"x" * 10, 0)
        cloud.ok("DELETE", f"versions/{gone['id']}")
        (cloud.data / "uploads/put-leftover").write_bytes(b"x")
        cloud.stop()
        cloud.start()
        assert stored(cloud, kept) == kept and stored(cloud, dropped) is None
        assert [path.name for path in (cloud.data / "uploads").iterdir()] == [open_upload["id"]]


def test_a_large_upload_needs_little_memory(build, tmp_path):
    """Memory does not grow with the package. Under ASan freed memory stays for a while, so only a
    multiple is looked for there."""
    with Cloud(build / "cloud/atfota-cloud", tmp_path) as cloud:
        product = cloud.product()
        cloud.upload(product.draft("V1")["id"], image(1 << 20))
        before = cloud.memory_kib("VmHWM")
        cloud.upload(product.draft("V2")["id"], image(64 << 20))
        assert cloud.memory_kib("VmHWM") - before < 16 * 1024


def test_many_uploads_at_once(cloud):
    from concurrent.futures import ThreadPoolExecutor
    product = cloud.product()
    images = [image(600_000, seed=100 + number) for number in range(20)]
    drafts = [product.draft(f"V{number}")["id"] for number in range(20)]
    for draft, data in zip(drafts, images):  # in the order of their sequence numbers
        cloud.sign(draft, data)

    def one(draft, data):
        return cloud.upload(draft, data, 150_000)["package"]["digest"] == digest_of(data)

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(one, drafts, images))


def test_two_that_send_the_same_upload_do_not_spoil_it(cloud, draft):
    """Both send all of it at once; whatever each is told, the package is right in the end."""
    from concurrent.futures import ThreadPoolExecutor
    data = image(SIZE, seed=34)
    upload = begin(cloud, draft["id"], data)

    def send(_):
        try:
            return patch(cloud, upload, data, 0).status
        except (BrokenPipeError, ConnectionResetError):
            return "refused while sending"  # the platform need not read what it will not take

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(send, range(2)))
    assert 200 in answers and answers <= {200, 409, "refused while sending"}
    assert cloud.upload(draft["id"], data)["package"]["digest"] == digest_of(data)


@pytest.fixture
def small_disk(tmp_path):
    """A file system with 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_loses_nothing(build, small_disk):
    with Cloud(build / "cloud/atfota-cloud", small_disk) as cloud:
        product, _, _ = cloud.everything()
        device = Device(cloud.url, product.product, product.secret, product.oem, product.model)
        offer = device.check("V2.00")[1]
        data = image(12_000_000)
        draft = product.draft("V3")
        cloud.sign(draft["id"], data)
        (small_disk / "room").write_bytes(bytes(200_000))  # what an operator finds to make room with
        assert cloud.request("PUT", f"versions/{draft['id']}/package", data).status == 507
        upload = begin(cloud, product.draft("V4")["id"], data)
        assert patch(cloud, upload, data, 0).status == 507
        offset = cloud.ok("GET", f"uploads/{upload['id']}")["offset"]
        assert 0 < offset < 8_000_000
        with open(small_disk / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        fields = device.report_fields(offer["deployment"], 3)
        answers = [device.exchange("/device/v1/report", fields | {"id": bytes([i]) * 16})[1] for i in range(100)]
        refused = [i for i, answer in enumerate(answers) if answer["result"]]
        assert {answers[i]["result"] for i in refused} == {8} and answers[refused[0]]["retry_after"] > 0
        refusal = cloud.request("POST", "oems", {"name": "one more"})
        assert refusal.status == 507 and "make room" in refusal.json["detail"], refusal
        assert refusal.headers["Content-Type"] == "application/problem+json"
        assert "disk is full; make room" in cloud.log() and "no transaction is active" not in cloud.log()
        assert device.check("V2.00")[1]["result"] == 0 and device.get(offer["url"])[0] == 200
        (small_disk / "ballast").unlink()
        (small_disk / "room").unlink()
        assert cloud.request("POST", "oems", {"name": "one more"}).status == 201
        assert cloud.ok("GET", f"uploads/{upload['id']}")["offset"] == offset
        assert cloud.request("DELETE", f"uploads/{upload['id']}").status == 204  # makes the room that is needed
        for i in refused:
            assert device.exchange("/device/v1/report", fields | {"id": bytes([i]) * 16})[1]["result"] == 0
        assert len(cloud.ok("GET", f"deployments/{offer['deployment']}/reports")["items"]) == 100
