# SPDX-License-Identifier: Apache-2.0
"""AT+FOTACHECK asks, and leaves no trace."""

import hashlib

import pytest

from lib import faults
from lib.world import MIB, TARGET


def stored(module):
    """Everything that the module keeps."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(module.state.iterdir())}


def ask(world, host, **values):
    assert not host.ok(world.command(name="FOTACHECK", **values))


def test_a_check_tells_what_is_offered_and_stores_nothing(world):
    module, host = world.ready(size=3 * MIB)
    before = stored(module)
    for _ in range(2):
        ask(world, host)
        assert host.lines_until(r"\+FOTACHECK: .*") == ["+CSCFOTA: 2", f'+FOTACHECK: "{TARGET}",{3 * MIB},0']
        host.quiet()
    assert world.packages() == []
    assert stored(module) == before
    assert host.state() == (0, 0, 0, "")
    assert host.last()[0] == 0
    assert world.run(host) == [2, 3]


def test_a_check_leaves_a_part_and_the_last_end_alone(world):
    module, host = world.ready(size=4 * MIB)
    world.net.rule("package", faults.body(cut_after=2 * MIB, end="close"), 1, 1)
    world.net.rule("package", faults.status(503), 2)
    assert world.run(host) == [2, 4, 504]
    world.net.clear()
    last, reported = host.last(), len(world.net.entries("report"))
    ask(world, host)
    assert host.lines_until(r"\+FOTACHECK: .*")[0] == "+CSCFOTA: 2"
    assert (host.last(), host.state()) == (last, (0, 2 * MIB, 4 * MIB, TARGET))
    assert len(world.net.entries("report")) <= reported + 1  # that of the session
    assert world.run(host) == [2, 3]
    assert world.packages()[-1].start == 2 * MIB
    assert world.slot_holds(module, world.image)


@pytest.mark.parametrize("target,codes", [("SIM7600M21_LE11_181025_V9.99", ["+CSCFOTA: 5"])])
def test_a_check_that_finds_nothing_ends_with_its_code(world, target, codes):
    _, host = world.ready()
    ask(world, host, target=target)
    assert host.lines_until(r"\+CSCFOTA: .*") == codes
    host.quiet()
    assert host.last()[0] == 0


def test_a_check_can_be_cancelled(mini):
    _, host = mini.ready()
    mini.net.rule("check", faults.delay(5))
    ask(mini, host)
    host.ok("AT+FOTACANCEL")
    assert host.lines_until(r"\+CSCFOTA: .*") == ["+CSCFOTA: 307"]
    host.quiet()
