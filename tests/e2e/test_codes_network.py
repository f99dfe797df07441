# SPDX-License-Identifier: Apache-2.0
"""Result codes of a bad network: each row is a fault and the codes that it causes.

Every row is played twice, with and without a restart of the module before the
next session, which must succeed and go on from the stored part exactly if `4`
was told.
"""

from dataclasses import dataclass, field

import pytest

from lib import faults
from lib.codes import TEXT
from lib.world import TARGET

SIZE = 256 * 1024
PART = 100 * 1024  # a whole number of erase units
ERASE_BYTES = 4096  # a part is kept in whole erase units


@dataclass
class Row:
    name: str
    codes: list
    step: str
    rules: list  # (step, fault) or (step, fault, first, last)
    options: list = field(default_factory=list)


def broken(fault):
    """A part arrives, and then nothing but `fault`."""
    return [("package", faults.body(cut_after=PART, end="close"), 1, 1), ("package", fault, 2)]


def body_of(end):
    return [("package", faults.body(cut_after=PART, end=end), 1, 1), ("package", faults.body(cut_after=0, end=end), 2)]


ROWS = [
    # The check: nothing is stored, so no 4.
    Row("check answered with 500", [504], "check", [("check", faults.status(500))]),
    Row("check answered with 404", [504], "check", [("check", faults.status(404))]),
    Row("check answered with 503 and garbage", [504], "check", [("check", faults.status(503, b"\0\xff" * 4000))]),
    Row("check answered with garbage", [506], "check", [("check", faults.garbage())]),
    Row("check answered with the wrong type", [506], "check", [("check", faults.wrong_type())]),
    Row("check answered with too much", [506], "check", [("check", faults.oversized(2049))]),
    Row("check answered without an end", [506], "check", [("check", faults.endless())]),
    Row("check answered with 200 and nothing", [506], "check", [("check", faults.status(200, b""))]),
    Row("check redirected for ever", [510], "check", [("check", faults.redirect_loop())]),
    Row("check redirected six times", [510], "check", [("check", faults.redirect_chain(6))]),
    Row("check redirected to a scheme not allowed", [501], "check",
        [("check", faults.redirect_to("ftp://127.0.0.1:9"))]),
    Row("check stalls", [511], "check", [("check", faults.stall())]),
    Row("connection stalls", [511], "check", [("connect", faults.silent)]),
    Row("check stalls in its answer", [511], "check", [("check", faults.body(cut_after=20, end="stall"))]),
    Row("check reset before its answer", [512], "check", [("check", faults.reset())]),
    Row("connection reset while sending", [512], "check", [("connect", faults.refuse)]),
    Row("check reset in its answer", [513], "check", [("check", faults.body(cut_after=20, end="reset"))]),
    Row("check cut in its answer", [513], "check", [("check", faults.body(cut_after=20, end="close"))]),
    Row("check closed before its answer", [514], "check", [("check", faults.close())]),

    # The package's first request: nothing is stored yet.
    Row("package answered with 500", [2, 504], "download", [("package", faults.status(500))]),
    Row("package answered with 404", [2, 504], "download", [("package", faults.status(404))]),
    Row("package link expired", [2, 504], "download", [("package", faults.status(403))]),
    Row("package with another range", [2, 505], "download", [("package", faults.wrong_range(512))]),
    Row("package refused with 416", [2, 505], "download", [("package", faults.status(416))]),
    Row("package redirected for ever", [2, 510], "download", [("package", faults.redirect_loop(302))]),
    Row("package redirected six times", [2, 510], "download", [("package", faults.redirect_chain(6, 302))]),
    Row("package stalls", [2, 511], "download", [("package", faults.stall())]),
    Row("package reset before its answer", [2, 512], "download", [("package", faults.reset())]),
    Row("package answered with garbage", [2, 513], "download", [("package", faults.garbage())]),
    Row("package reset at its first byte", [2, 513], "download", [("package", faults.body(cut_after=0, end="reset"))]),
    Row("package closed before its answer", [2, 514], "download", [("package", faults.close())]),

    # A part is stored: 4 comes before the final code.
    Row("500 after a part", [2, 4, 504], "download", broken(faults.status(500))),
    Row("another range after a part", [2, 4, 505], "download", broken(faults.wrong_range(-512))),
    Row("redirects after a part", [2, 4, 510], "download", broken(faults.redirect_loop(302))),
    Row("stall in the body", [2, 4, 511], "download", body_of("stall")),
    Row("reset before an answer after a part", [2, 4, 512], "download", broken(faults.reset())),
    Row("reset in the body", [2, 4, 513], "download", body_of("reset")),
    Row("close in the body", [2, 4, 513], "download", body_of("close")),
    Row("close before an answer after a part", [2, 4, 514], "download", broken(faults.close())),

    # Bytes that are not the package's.
    Row("a corrupted byte", [2, 306], "verify", [("package", faults.body(corrupt_at=SIZE // 2))]),
    Row("a corrupted last byte", [2, 306], "verify", [("package", faults.body(corrupt_at=SIZE - 1))]),

    Row("more bytes than promised", [2, 306], "download", [("package", faults.http10(extra=b"x"))]),

    # Messages that the platform did not make.
    Row("answer tampered with in its tag", [402], "check", [("check", faults.tamper(-1))]),
    Row("answer tampered with in its payload", [402], "check", [("check", faults.tamper(-300))]),
    Row("answer sealed with another secret", [402], "check", [("check", faults.forged(b"another secret of 32 characters."))]),
]


@pytest.mark.parametrize("restart", [False, True], ids=["", "restarted"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_fault_causes_its_code(world, row, restart):
    module, host = world.ready(*row.options, size=SIZE)
    for rule in row.rules:
        world.net.rule(*rule)
    assert world.run(host) == row.codes
    expected = (row.codes[-1], TEXT[row.codes[-1]], row.step, TARGET)
    assert host.last() == expected
    world.net.clear()
    if restart:
        module.restart()
        host = world.host(module)
        assert host.last() == expected
    asked = len(world.packages())
    assert world.run(host) == [2, 3]
    starts = [entry.start for entry in world.packages()[asked:]]
    assert starts == [PART if 4 in row.codes else 0]
    assert world.slot_holds(module, world.image)


TRANSIENT = [
    ("check", faults.status(500)),
    ("check", faults.garbage()),
    ("check", faults.reset()),
    ("check", faults.close()),
    ("connect", faults.refuse),
    ("package", faults.status(503)),
    ("package", faults.wrong_range(512)),
    ("package", faults.reset()),
    ("package", faults.close()),
    ("package", faults.body(cut_after=PART, end="reset")),
    ("package", faults.body(cut_after=PART, end="close")),
    ("package", faults.body(cut_after=PART, end="stall")),
    ("package", faults.status(403)),
    ("package", faults.http10(cut_after=PART)),
    ("report", faults.status(500)),
    ("report", faults.reset()),
]


@pytest.mark.parametrize("step,fault", TRANSIENT, ids=[f"{step}-{i}" for i, (step, _) in enumerate(TRANSIENT)])
def test_a_fault_that_passes_is_not_told_to_the_host(world, step, fault):
    _, host = world.ready("--retries", "3", size=SIZE)
    world.net.rule(step, fault, 1, 1)
    assert world.run(host) == [2, 3]


def test_a_break_goes_on_from_the_byte_where_it_stopped(world):
    _, host = world.ready("--retries", "3", size=SIZE)
    for turn, part in enumerate((1000, 70_000, 1, 100_000), start=1):
        world.net.rule("package", faults.body(cut_after=part, end="close"), turn, turn)
    assert world.run(host) == [2, 3]
    got = 0
    for entry in world.packages():
        assert got - ERASE_BYTES < entry.start <= got
        got = max(got, entry.start + entry.sent)
    assert got == SIZE


def test_progress_renews_the_retries(world):
    """Retries count tries without any progress: a link that gives a little each time gets there."""
    _, host = world.ready("--retries", "1", size=SIZE)
    world.net.rule("package", faults.body(cut_after=SIZE // 8, end="reset"), 1, 8)
    assert world.run(host) == [2, 3]


def test_five_redirects_are_followed(world):
    _, host = world.ready(size=SIZE)
    world.net.rule("check", faults.redirect_chain(5))
    world.net.rule("package", faults.redirect_chain(5, 302))
    assert world.run(host) == [2, 3]


@pytest.mark.parametrize("fault", [faults.http10(), faults.chunked()], ids=["HTTP/1.0", "chunked"])
def test_a_package_needs_no_length(world, fault):
    module, host = world.ready(size=SIZE)
    world.net.rule("package", fault)
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, world.image)


def test_an_expired_link_is_asked_for_again(world):
    _, host = world.ready(size=SIZE)
    world.net.rule("package", faults.status(403), 1, 1)
    assert world.run(host) == [2, 3]
    assert [entry.step for entry in world.net.entries()][:4] == ["check", "package", "check", "package"]


def test_an_answer_to_an_earlier_request_is_not_believed(world):
    _, host = world.ready(size=SIZE)
    assert world.run(host) == [2, 3]
    world.net.rule("check", faults.replay(world.net.entries("check")[0].answer))
    assert world.run(host) == [4, 402], "what is ready stays ready"


def test_a_stored_part_is_refused_and_a_new_start_fails_too(world):
    """507: the range is refused with 416, and the download from the start as well."""
    module, host = world.ready(size=SIZE)
    for rule in body_of("close"):
        world.net.rule(*rule)
    assert world.run(host) == [2, 4, 513]
    world.net.clear()
    world.net.rule("package", faults.status(416), 1, 1)
    world.net.rule("package", faults.status(404), 2)
    assert world.run(host) == [2, 507]
    assert host.last() == (507, TEXT[507], "download", TARGET)
    world.net.clear()
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, world.image)


def test_a_stored_part_that_the_server_refuses_is_fetched_anew(world):
    module, host = world.ready(size=SIZE)
    for rule in body_of("close"):
        world.net.rule(*rule)
    assert world.run(host) == [2, 4, 513]
    world.net.clear()
    world.net.rule("package", faults.status(416), 1, 1)
    assert world.run(host) == [2, 3]
    assert [entry.start for entry in world.packages()][-2:] == [PART, 0]
    assert world.slot_holds(module, world.image)
