# SPDX-License-Identifier: Apache-2.0
"""Final reports reach the platform once, whatever happens between; and what is
reported is what happened."""

import time

import pytest

from lib import faults, wire
from lib.cloud import Cloud
from lib.product import Product
from lib.world import MIB, MODEL, OEM, World, finish

DOWNLOADED, FAILED, CANCELLED = 3, 7, 8


def wait_for(world, expected, limit_s=30):
    """Until the platform counts exactly these final reports, and stays there."""
    end = time.monotonic() + limit_s
    while world.platform.final_reports() != expected:
        assert time.monotonic() < end, f"{world.platform.final_reports()} in place of {expected}"
        time.sleep(0.02)
    time.sleep(0.1)
    assert world.platform.final_reports() == expected


def test_success_is_reported(world):
    _, host = world.ready()
    assert world.run(host) == [2, 3]
    wait_for(world, [(DOWNLOADED, 3)])


def test_a_failure_is_reported_with_its_code(world):
    _, host = world.ready()
    world.net.rule("package", faults.status(404))
    assert world.run(host) == [2, 504]
    wait_for(world, [(FAILED, 504)])


def test_a_cancel_is_reported_with_what_was_received(mini):
    _, host = mini.ready(size=4 * MIB)
    mini.net.rule("package", faults.body(cut_after=2 * MIB, end="stall"))
    mini.begin(host)
    assert host.codes(until=2) == [2]
    time.sleep(0.3)
    host.ok("AT+FOTACANCEL")
    assert host.codes()[-1] == 307
    wait_for(mini, [(CANCELLED, 307)])
    assert 0 < mini.platform.reports[-1]["received"] <= 2 * MIB


def test_what_the_platform_refused_is_not_reported(mini):
    _, host = mini.ready()
    mini.platform.refuse(1)
    assert mini.run(host) == [5]
    time.sleep(0.2)
    assert mini.platform.reports == []


@pytest.mark.release
def test_a_report_whose_acknowledgement_is_lost_counts_once(world):
    _, host = world.ready("--report-retry", "100")
    world.net.rule("report", faults.swallow(), 1, 2)
    assert world.run(host) == [2, 3]
    end = time.monotonic() + 30
    while len(world.net.entries("report")) < 3:
        assert time.monotonic() < end, "it was not sent again"
        time.sleep(0.02)
    wait_for(world, [(DOWNLOADED, 3)])
    sent = [wire.named(wire.take_apart(entry.request.body)[1]) for entry in world.net.entries("report")]
    assert len({report["id"] for report in sent}) == 1


@pytest.mark.release
def test_a_report_survives_kill_and_downtime(world):
    module, host = world.ready("--report-retry", "100")
    world.net.rule("report", faults.reset())
    assert world.run(host) == [2, 3]
    for _ in range(3):
        module.kill9()
        module.start()
        time.sleep(0.2)
    assert world.platform.final_reports() == []
    world.net.clear()
    wait_for(world, [(DOWNLOADED, 3)])


@pytest.fixture
def own(tmp_path, build, atfotad, seen_codes, request):
    """A world around a platform of its own, which a test may kill."""
    with Cloud(build / "cloud/atfota-cloud", tmp_path / "cloud") as cloud:
        world = World(tmp_path, atfotad, seen_codes, Product(cloud, OEM, MODEL))
        yield world, cloud
        finish(world, request)


@pytest.mark.release
def test_a_report_waits_for_a_platform_that_is_down(own):
    world, cloud = own
    module, host = world.ready("--report-retry", "100")

    def kill_behind_the_package(x):
        x.reply(x.answer())
        cloud.kill()

    world.net.rule("package", kill_behind_the_package, 1, 1)
    assert world.run(host) == [2, 3]
    module.kill9()
    module.start()
    end = time.monotonic() + 20
    while not world.net.entries("report"):
        assert time.monotonic() < end, "it did not even try"
        time.sleep(0.02)
    cloud.start()
    wait_for(world, [(DOWNLOADED, 3)])


@pytest.mark.release
def test_a_report_that_was_taken_by_a_platform_that_died_counts_once(own):
    """The platform is killed behind its acknowledgement, which never reaches the module."""
    world, cloud = own
    _, host = world.ready("--report-retry", "100")

    def kill_behind_the_report(x):
        assert x.answer().status == 200
        x.answer().read()
        cloud.kill()
        x.close()

    world.net.rule("report", kill_behind_the_report, 1, 1)
    assert world.run(host) == [2, 3]
    end = time.monotonic() + 30
    while cloud.process:
        assert time.monotonic() < end
        time.sleep(0.01)
    cloud.start()
    wait_for(world, [(DOWNLOADED, 3)])
    assert len(world.net.entries("report")) >= 2


def test_a_report_that_cannot_be_delivered_blocks_no_session(world):
    _, host = world.ready("--report-retry", "100")
    world.net.rule("report", faults.stall())
    for _ in range(6):
        assert world.run(host) == [2, 3]


def test_progress_of_a_session_is_not_required_to_end_it(mini):
    """The platform refuses every report; the host sees nothing of it."""
    _, host = mini.ready()
    mini.net.rule("report", faults.status(500))
    assert mini.run(host) == [2, 3]
    host.quiet(0.5)
