# SPDX-License-Identifier: Apache-2.0
"""The module is killed at random moments of a download. Each time the next session
goes on from the last synced byte and ends verified.

KILL_SEED=<seed>:<turn> replays one turn alone, as a failure's message says.
"""

import os
import random
import time

import pytest

from lib import faults
from lib.world import MIB, TARGET

RATE = 4 * MIB
SIZE = 10 * MIB
# At most 8 MiB or 2 s of transfer is fetched again, whichever is less; and what is on
# its way between the sockets was sent but never received.
AGAIN_BYTES = min(8 * MIB, 2 * RATE) + 512 * 1024


def turns(is_soak):
    seed, _, turn = os.environ.get("KILL_SEED", f"{random.randrange(1 << 32)}").partition(":")
    return int(seed), [int(turn)] if turn else range(50 if is_soak else 10)


@pytest.mark.limit(900)
@pytest.mark.release
def test_a_killed_module_goes_on_from_what_was_synced(mini, is_soak):
    seed, numbers = turns(is_soak)
    module = mini.module()
    for turn in numbers:
        print(f"replay: KILL_SEED={seed}:{turn}")
        kill_once(mini, module, seed, turn)


def kill_once(mini, module, seed, turn):
    moment_s = random.Random(f"{seed}:{turn}").uniform(0.02, SIZE / RATE)
    target = f"{TARGET}-{turn}"
    mini.publish(SIZE, target, seed=turn)
    host = mini.host(module)
    mini.net.rule("package", faults.slow(RATE))
    asked = len(mini.packages())
    mini.begin(host, target=target)
    time.sleep(moment_s)
    module.kill9()
    before = mini.packages()[asked:]
    sent = max((entry.start + entry.sent for entry in before), default=0)
    mini.net.clear()
    module.start()
    host = mini.host(module)
    assert mini.run(host, target=target) == [2, 3]
    after = mini.packages()[asked + len(before):]
    start = after[0].start if after else SIZE
    print(f"  killed after {moment_s:.2f} s with {sent} sent; went on from {start}")
    assert sent - AGAIN_BYTES <= start <= sent
    assert len(after) <= 1
    assert mini.slot_holds(module, mini.image)


@pytest.mark.parametrize("step", ["check", "report"])
def test_a_module_killed_while_it_waits_for_an_answer_goes_on(mini, step):
    module, host = mini.ready()
    mini.net.rule(step, faults.stall())
    mini.begin(host)
    end = time.monotonic() + 10
    while not mini.net.entries(step):
        assert time.monotonic() < end
        time.sleep(0.01)
    module.kill9()
    mini.net.clear()
    module.start()
    assert mini.run(mini.host(module)) == [2, 3]
    assert mini.slot_holds(module, mini.image)


def test_a_module_killed_again_and_again_at_its_start_loses_nothing(mini):
    module, host = mini.ready(size=2 * MIB)
    assert mini.run(host) == [2, 3]
    for delay_ms in (0, 1, 2, 4, 8, 16):
        module.kill9()
        module.start()
        time.sleep(delay_ms / 1000)
    host = mini.host(module)
    assert host.state()[0] == 4
    assert host.last()[0] == 3
