# SPDX-License-Identifier: Apache-2.0
"""Module and real platform: what a module makes of manifests that the platform accepts, keys that
are rotated on both sides, and links that expire."""

import pytest

from lib import faults, suit
from lib.cloud import Cloud
from lib.codes import TEXT
from lib.module import IDENTITY, slots
from lib.product import Product
from lib.world import MODEL, OEM, TARGET, World, finish, image

SIZE = 64 * 1024
OTHER = suit.Key()


def put(cloud, version, data):
    return cloud.request("PUT", f"versions/{version}/manifest", data,
                         headers={"Content-Type": "application/suit-envelope+cose"})


def started(world, **settings):
    module = world.module(**settings)
    return module, world.host(module)


def test_a_module_refuses_a_key_that_the_platform_accepts(world):
    """Who controls a product on the platform does not control modules."""
    world.publish(SIZE)
    module, host = started(world, trust=[OTHER])
    before = slots(module)
    assert world.run(host) == [306]
    assert host.last() == (306, TEXT[306], "check", TARGET)
    assert slots(module) == before and not world.packages()
    module.trust(*world.platform.keys)
    module.restart()
    assert world.run(world.host(module)) == [2, 3]
    assert world.slot_holds(module, world.image)


def test_a_module_that_knows_its_maker_refuses_another_ones_product(world):
    world.publish(SIZE)
    identity = ["--oem", "OTHER"] + IDENTITY
    _, host = started(world, identity=identity)
    host.ok("AT+CMEE=1")
    assert host.refused(world.command()) == "+CME ERROR: 401"
    assert not world.net.entries()


def test_a_published_version_is_signed_anew_for_a_new_key(world, cloud):
    """Rotation: the same bytes, a higher number, both keys; then modules with either key take it."""
    p, new = world.platform, suit.Key()
    version = p.publish(TARGET, image(SIZE))["id"]
    cloud.tell_key(p.product, new)
    _, host = started(world, trust=[new])
    assert world.run(host) == [306]
    assert put(cloud, version, p.sign(TARGET, image(SIZE, 2), keys=p.keys + [new])).status == 422
    assert put(cloud, version, p.sign(TARGET, image(SIZE), keys=p.keys + [new])).status == 200
    assert world.run(host) == [2, 3]
    _, other = started(world)
    assert world.run(other) == [2, 3]


@pytest.fixture
def brief(tmp_path, build, atfotad, seen_codes, request):
    """A world around a platform whose links live for a second."""
    with Cloud(build / "cloud/atfota-cloud", tmp_path / "cloud", "--link-lifetime", "1") as cloud:
        world = World(tmp_path, atfotad, seen_codes, Product(cloud, OEM, MODEL))
        yield world
        finish(world, request)


def test_a_link_that_expired_on_its_way_is_asked_for_again(brief):
    module, host = brief.ready("--stall-limit", "5", size=SIZE)
    brief.net.rule("check", faults.late(2.5), 1, 1)
    assert brief.run(host) == [2, 3]
    assert [entry.status for entry in brief.packages()] == [403, 200]
    assert len(brief.net.entries("check")) == 2
    assert brief.slot_holds(module, brief.image)


def test_a_part_outlives_the_link_that_it_came_by(brief):
    module, host = brief.ready("--retries", "3", "--retry-base", "4000", "--retry-max", "4000", size=4 * SIZE)
    brief.net.rule("package", faults.body(cut_after=SIZE, end="close"), 1, 1)
    assert brief.run(host) == [2, 3]
    assert [(entry.status, entry.start) for entry in brief.packages()] == [(200, 0), (403, SIZE), (206, SIZE)]
    assert brief.slot_holds(module, brief.image)
