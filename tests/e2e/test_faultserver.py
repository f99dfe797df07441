# SPDX-License-Identifier: Apache-2.0
"""The fault server itself, judged by curl: each fault is what its name says."""

import subprocess
import time

import pytest

from lib import faults, tls, wire
from lib.faultserver import FaultServer
from lib.httpwire import Answer
from lib.links import BlackHole
from lib.world import image

IMAGE = image(200_000)
ETAG = '"abc"'


class Upstream:
    """GET gives the image, POST what was posted."""

    def answer(self, request):
        if request.method == "POST":
            return Answer.of(200, request.body, Content_Type=wire.CONTENT_TYPE)
        start = request.range_start
        if start is None:
            return Answer.of(200, IMAGE, ETag=ETAG)
        return Answer.of(206, IMAGE[start:], ETag=ETAG,
                         Content_Range=f"bytes {start}-{len(IMAGE) - 1}/{len(IMAGE)}")


@pytest.fixture
def server():
    server = FaultServer(Upstream())
    yield server
    server.stop()


def curl(*words, max_s=30):
    """(exit status of curl, body)"""
    done = subprocess.run(["curl", "-s", "--max-time", str(max_s), *words], capture_output=True, timeout=2 * max_s)
    return done.returncode, done.stdout


def test_without_a_rule_everything_passes(server):
    assert curl(server.url + "/p") == (0, IMAGE)
    assert curl("-r", "1000-", server.url + "/p") == (0, IMAGE[1000:])
    assert curl("-d", "hello", server.url + wire.CHECK_PATH) == (0, b"hello")
    assert [entry.step for entry in server.log] == ["package", "package", "check"]
    assert [entry.start for entry in server.log][:2] == [0, 1000]
    end = time.monotonic() + 20  # curl may be done before the server has counted
    while [entry.sent for entry in server.log] != [200_000, 199_000, 5] and time.monotonic() < end:
        time.sleep(0.01)
    assert [entry.sent for entry in server.log] == [200_000, 199_000, 5]


def test_two_requests_share_a_connection(server):
    done = subprocess.run(["curl", "-s", "-w", "%{num_connects}", "-o", "/dev/null", server.url + "/a",
                           "-o", "/dev/null", server.url + "/b"], capture_output=True, timeout=10)
    assert done.stdout == b"10"


# curl's exit statuses: 1 protocol, 7 connect, 8 weird reply, 18 partial, 22 status, 28 time, 47 redirects, 52 empty, 56 recv
BREAKS = [
    ("reset", faults.reset(), 56),
    ("close", faults.close(), 52),
    ("stall", faults.stall(), 28),
    ("garbage", faults.garbage(), 1),
    ("status", faults.status(503), 22),
    ("loop", faults.redirect_loop(), 47),
    ("long chain", faults.redirect_chain(6), 47),
    ("cut by FIN", faults.body(cut_after=5000, end="close"), 18),
    ("cut by RST", faults.body(cut_after=5000, end="reset"), 56),
    ("stall in the body", faults.body(cut_after=5000, end="stall"), 28),
    ("endless", faults.endless(), 28),
]


def limit_of(*statuses):
    """What never ends is not waited for any longer than needed."""
    return 0.7 if 28 in statuses else 30


@pytest.mark.parametrize("fault,status", [row[1:] for row in BREAKS], ids=[row[0] for row in BREAKS])
def test_a_fault_breaks_the_exchange_as_curl_names_it(server, fault, status):
    server.rule("package", fault)
    assert curl("-f", "-L", "--max-redirs", "5", server.url + "/p", max_s=limit_of(status))[0] == status


@pytest.mark.parametrize("fault,status", [(faults.refuse, (55, 56)), (faults.silent, (28,))])
def test_a_fault_of_the_connection_comes_before_the_request(server, fault, status):
    server.rule("connect", fault)
    assert curl(server.url + "/p", max_s=limit_of(*status))[0] in status
    assert server.log == []


def test_a_rule_is_due_in_its_turns_only(server):
    server.rule("package", faults.status(500), first=2, last=2)
    assert [curl("-f", server.url + "/p")[0] for _ in range(3)] == [0, 22, 0]


def test_five_redirects_reach_the_answer(server):
    server.rule("package", faults.redirect_chain(5))
    assert curl("-L", "--max-redirs", "5", server.url + "/p") == (0, IMAGE)


def test_one_byte_is_corrupted_wherever_the_range_starts(server):
    server.rule("package", faults.body(corrupt_at=1500))
    _, got = curl("-r", "1000-", server.url + "/p")
    assert [at for at in range(len(got)) if got[at] != IMAGE[1000 + at]] == [500]


def test_the_whole_is_sent_in_place_of_a_range(server):
    server.rule("package", faults.whole())
    assert curl("-r", "1000-", server.url + "/p")[1] == IMAGE


def test_another_range_than_asked_for_is_announced(server):
    server.rule("package", faults.wrong_range(7))
    done = subprocess.run(["curl", "-s", "-D", "-", "-o", "/dev/null", "-r", "1000-", server.url + "/p"],
                          capture_output=True, timeout=10)
    assert b"Content-Range: bytes 1007-199999/200000" in done.stdout


def test_http10_ends_with_the_connection(server):
    server.rule("package", faults.http10())
    assert curl(server.url + "/p") == (0, IMAGE)


def test_a_slow_body_keeps_to_its_rate(server):
    server.rule("package", faults.slow(400_000))
    done = subprocess.run(["curl", "-s", "-w", "%{time_total}", "-o", "/dev/null", server.url + "/p"],
                          capture_output=True, timeout=10)
    assert 0.4 < float(done.stdout) < 5.0


def test_messages_are_tampered_with_and_replaced(server):
    server.rule("check", faults.tamper(0), first=1, last=1)
    server.rule("check", faults.replay(b"old"), first=2, last=2)
    server.rule("check", faults.oversized(3000), first=3, last=3)
    url = server.url + wire.CHECK_PATH
    assert curl("-d", "hello", url)[1] == b"iello"
    assert curl("-d", "hello", url)[1] == b"old"
    assert len(curl("-d", "hello", url)[1]) == 3000


def test_a_forged_answer_fits_its_request_but_for_the_secret(server):
    server.rule("check", faults.forged(b"another secret.."))
    message = wire.seal(b"the true secret!", b"1", wire.encode({1: 2}))
    tag = wire.take_apart(message)[2]
    done = subprocess.run(["curl", "-s", "--data-binary", "@-", server.url + wire.CHECK_PATH], input=message,
                          capture_output=True, timeout=10)
    assert wire.unseal(b"another secret..", done.stdout, tag) == wire.encode({1: 2})
    with pytest.raises(wire.WireError):
        wire.unseal(b"the true secret!", done.stdout, tag)


def test_a_black_hole_takes_no_connection():
    hole = BlackHole()
    try:
        assert curl(hole.url)[0] == 28
    finally:
        hole.stop()


@pytest.mark.parametrize("kind,status", [("good", 0), ("self-signed", 60), ("wrong-name", 60), ("expired", 60)])
def test_a_certificate_is_good_or_bad_in_one_way(tmp_path, kind, status):
    authority = tls.Authority(tmp_path)
    server = FaultServer(Upstream(), authority.server(kind))
    try:
        assert curl("--cacert", str(authority.path), server.url + "/p")[0] == status
        assert (curl("-k", server.url + "/p")[1]) == IMAGE
    finally:
        server.stop()
