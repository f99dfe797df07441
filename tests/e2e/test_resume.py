# SPDX-License-Identifier: Apache-2.0
"""A download that was broken goes on, from what is safely stored and from nothing else."""

import hashlib

import pytest

from lib import faults
from lib.module import download_slot
from lib.world import MIB, TARGET, image

SIZE = 6 * MIB
PART = 2 * MIB
OTHER = "SIM7600M21_LE11_181025_V3.00"


def stop_after(world, host, part=PART, **values):
    """A session that ends with a stored part."""
    world.net.rule("package", faults.body(cut_after=part, end="close"), 1, 1)
    world.net.rule("package", faults.status(503), 2)
    assert world.run(host, **values) == [2, 4, 504]
    world.net.clear()


@pytest.mark.parametrize("how", ["", "sigterm", "kill9"])
@pytest.mark.release
def test_a_part_is_kept_and_only_the_rest_is_fetched(world, how):
    module, host = world.ready(size=SIZE)
    stop_after(world, host)
    if how:
        getattr(module, how)()
        module.start()
        host = world.host(module)
    assert world.run(host) == [2, 3]
    last = world.packages()[-1]
    assert (last.start, last.sent, last.status) == (PART, SIZE - PART, 206)
    digest = hashlib.sha256(world.image).hexdigest()
    assert last.request.headers["if-range"] == f'"{digest}"'
    assert world.slot_holds(module, world.image)


def test_the_state_tells_the_part_before_and_after_a_restart(world):
    module, host = world.ready(size=SIZE)
    stop_after(world, host)
    assert host.state() == (0, PART, SIZE, TARGET)
    module.restart()
    assert world.host(module).state() == (0, PART, SIZE, TARGET)


def test_a_server_without_ranges_is_fetched_from_anew(world):
    module, host = world.ready(size=SIZE)
    stop_after(world, host)
    world.net.rule("package", faults.whole())
    assert world.run(host) == [2, 3]
    last = world.packages()[-1]
    assert (last.status, last.sent) == (200, SIZE), "asked for a range, and got everything"
    assert world.slot_holds(module, world.image)


def test_a_package_that_changed_is_fetched_anew(mini):
    module, host = mini.ready(size=SIZE)
    stop_after(mini, host)
    new = mini.publish(SIZE, seed=2)
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start == 0
    assert mini.slot_holds(module, new)


def test_bytes_that_changed_behind_the_link_are_not_mixed(mini):
    """If-Range: the server sends the other file whole, whose digest is not the promised one."""
    module, host = mini.ready(size=SIZE)
    stop_after(mini, host)
    good = mini.image
    mini.platform.swap(TARGET, image(SIZE, 2))
    assert mini.run(host) == [2, 306]
    assert mini.packages()[-1].status == 200
    mini.platform.publish(TARGET, good)
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start == 0, "stored bytes of a wrong package were used"
    assert mini.slot_holds(module, good)


def test_a_part_of_another_target_is_not_used(mini):
    module, host = mini.ready(size=SIZE)
    stop_after(mini, host)
    new = mini.publish(SIZE, OTHER, seed=2)
    assert mini.run(host, target=OTHER) == [2, 3]
    assert mini.packages()[-1].start == 0
    assert mini.slot_holds(module, new)


def test_what_is_ready_is_verified_and_not_fetched_again(world):
    module, host = world.ready(size=SIZE)
    assert world.run(host) == [2, 3]
    assert host.state() == (4, SIZE, SIZE, TARGET)
    module.restart()
    host = world.host(module)
    assert host.state() == (4, SIZE, SIZE, TARGET)
    assert world.run(host) == [2, 3]
    assert len(world.packages()) == 1


def test_what_was_ready_and_rotted_is_fetched_again(world):
    module, host = world.ready(size=SIZE)
    assert world.run(host) == [2, 3]
    module.sigterm()
    with open(download_slot(module), "r+b") as slot:
        slot.seek(SIZE // 2)
        slot.write(b"rot")
    module.start()
    host = world.host(module)
    assert world.run(host) == [2, 306]
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, world.image)


def test_a_journal_that_rotted_begins_anew(world):
    module, host = world.ready(size=SIZE)
    stop_after(world, host)
    module.sigterm()
    path = module.state / "journal"
    path.write_bytes(bytes(len(path.read_bytes())))
    module.start()
    host = world.host(module)
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, world.image)


def test_a_state_directory_that_is_gone_begins_anew(world):
    module, host = world.ready(size=SIZE)
    stop_after(world, host)
    module.sigterm()
    for path in module.state.iterdir():
        path.unlink()
    module.start()
    assert world.run(world.host(module)) == [2, 3]
