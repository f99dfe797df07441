# SPDX-License-Identifier: Apache-2.0
"""No way back: a module does not go below the newest version that it has confirmed, unless the
older one was signed anew with a higher number."""

import time

from lib.codes import TEXT
from lib.module import slots
from lib.world import TARGET

SIZE = 64 * 1024
OLD, NEWER = "SIM7600M21_LE11_180801_V1.50", "SIM7600M21_LE11_190301_V3.00"


def refused(world, module, host, **values):
    """A session that ends with 5 and stores nothing."""
    before, asked = slots(module), len(world.packages())
    assert world.run(host, **values) == [5]
    assert host.last() == (5, TEXT[5], "check", values.get("target", TARGET))
    assert (slots(module), len(world.packages())) == (before, asked)


def started(world):
    module = world.module()
    return module, world.host(module)


def installed(world, module, host, old, new, confirm=1):
    """Installs what is ready, and keeps it (1) or not (0)."""
    host.ok("AT+FOTAINSTALL")
    assert host.lines_until(r"\+FOTARESULT: .*")[-1] == f'+FOTARESULT: 0,"{old}","{new}"'
    host.settle()
    assert host.state()[0] == 6
    host.ok(f"AT+FOTACONFIRM={confirm}")
    if not confirm:
        assert host.lines_until(r"\+FOTARESULT: .*")[-1] == f'+FOTARESULT: 307,"{old}","{new}"'
        host.settle()
    end = time.monotonic() + 5
    while host.state()[0] != 0:
        assert time.monotonic() < end, f"the trial does not end\n{host.story()}"
        time.sleep(0.02)
    host.ok("AT+CAPFOTA=1")


def offered(world, target, sequence, seed):
    world.publish(SIZE, target, seed, sequence=sequence)


def test_a_module_goes_back_only_to_what_was_signed_anew(mini):
    module, host = started(mini)
    offered(mini, TARGET, 5, seed=1)
    assert mini.run(host) == [2, 3]
    installed(mini, module, host, "V1.00", TARGET)
    offered(mini, OLD, 4, seed=2)
    refused(mini, module, host, target=OLD)
    module.restart()
    host = mini.host(module)
    refused(mini, module, host, target=OLD)
    offered(mini, OLD, 6, seed=2)
    assert mini.run(host, target=OLD) == [2, 3]
    installed(mini, module, host, TARGET, OLD)
    offered(mini, TARGET, 5, seed=1)
    refused(mini, module, host)


def test_the_same_number_is_not_lower(mini):
    module, host = started(mini)
    offered(mini, TARGET, 5, seed=1)
    assert mini.run(host) == [2, 3]
    installed(mini, module, host, "V1.00", TARGET)
    offered(mini, NEWER, 5, seed=2)
    assert mini.run(host, target=NEWER) == [2, 3]


def test_a_version_that_was_not_kept_sets_no_mark(mini):
    """The highest number counts once its version is confirmed, not before."""
    module, host = started(mini)
    offered(mini, TARGET, 1000, seed=1)
    assert mini.run(host) == [2, 3]
    offered(mini, OLD, 4, seed=2)
    assert mini.run(host, target=OLD) == [2, 3], "a download alone set a mark"
    offered(mini, TARGET, 1000, seed=1)
    assert mini.run(host) == [2, 3]
    installed(mini, module, host, "V1.00", TARGET, confirm=0)
    offered(mini, OLD, 4, seed=2)
    assert mini.run(host, target=OLD) == [2, 3], "a version that was rolled back set a mark"
