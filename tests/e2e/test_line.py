# SPDX-License-Identifier: Apache-2.0
"""What a host sees of a session beside its codes: progress, state, counters."""

import os
import re
import threading
import time

import pytest

from lib import faults
from lib.world import MIB, TARGET

SIZE = 5 * MIB
RATE = 2 * MIB


def test_progress_is_told_to_the_port_that_asked_for_it(mini):
    _, host = mini.ready(size=SIZE)
    host.ok("AT+FOTAPROG=1")
    mini.net.rule("package", faults.slow(RATE))
    begun = time.monotonic()
    mini.begin(host)
    lines = host.lines_until(r"\+CSCFOTA: 3")
    most = time.monotonic() - begun + 2  # one per second, and the end
    told = [tuple(map(int, match.groups())) for match in
            (re.fullmatch(r"\+FOTAPROG: (\d+),(\d+)", line) for line in lines) if match]
    assert len(told) + 2 == len(lines), f"something else: {lines}"
    assert 2 <= len(told) <= most and told == sorted(told)
    assert told[-1] == (SIZE, SIZE) and {total for _, total in told} == {SIZE}


def test_progress_is_off_by_default_and_per_port(mini):
    module, host = mini.ready(size=SIZE, ports=2)
    other = mini.host(module, port=1)
    other.ok("AT+FOTAPROG=1")
    mini.net.rule("package", faults.slow(RATE))
    assert mini.run(host) == [2, 3]
    assert not [line for _, line in host.waiting() if "FOTAPROG" in line]


def test_the_state_follows_the_session(mini):
    _, host = mini.ready(size=SIZE)
    assert host.state() == (0, 0, 0, "")
    go_on = threading.Event()
    mini.net.rule("check", faults.held(go_on))
    mini.net.rule("package", faults.slow(RATE))
    mini.begin(host)
    assert host.state()[0] == 1
    go_on.set()
    assert host.codes(until=2) == [2]
    seen = []
    while not seen or seen[-1][0] != 4:
        seen.append(host.state())
    assert host.codes() == [3]
    states = [state for state, _, _, _ in seen]
    assert states == sorted(states) and set(states) <= {2, 3, 4} and 2 in states
    counted = [received for state, received, _, _ in seen if state == 2]
    assert counted == sorted(counted) and counted[-1] > SIZE // 2
    assert host.state() == (4, SIZE, SIZE, TARGET)


def test_the_last_session_is_empty_at_first(mini):
    _, host = mini.ready()
    assert host.last() == (0, "", "", "")


def test_the_service_is_off_after_each_start(mini):
    module, host = mini.ready()
    assert host.ok("AT+CAPFOTA?") == ["+CAPFOTA: 1"]
    module.restart()
    assert mini.host(module, on=False).ok("AT+CAPFOTA?") == ["+CAPFOTA: 0"]


def keepers(module, secret):
    """Files of the state that have the secret in them."""
    return [path.name for path in module.state.iterdir() if secret in path.read_bytes()]


def until_nobody_keeps(module, secret, limit_s=30):
    end = time.monotonic() + limit_s
    while keepers(module, secret):
        assert time.monotonic() < end, f"{keepers(module, secret)} keep a secret that nobody needs"
        time.sleep(0.05)


def test_the_secret_is_shown_nowhere(mini):
    """Not in the log, a process list, the environment, or the state once it is reported."""
    module, host = mini.ready()
    mini.net.rule("package", faults.status(404))
    assert mini.run(host) == [2, 504]
    secret = mini.platform.secret
    # The environment is root's to read: the module cannot be looked into by its own user.
    for name in ("cmdline", "environ") if os.geteuid() == 0 else ("cmdline",):
        with open(f"/proc/{module.process.pid}/{name}", "rb") as shown:
            assert secret not in shown.read()
    until_nobody_keeps(module, secret)
    assert secret.decode() not in module.log.read_text()


@pytest.mark.parametrize("keep", [1, 0])
def test_the_secret_is_kept_as_long_as_there_is_something_to_report(mini, keep):
    """A package that is ready will be installed, and the platform hears of it; then it goes."""
    module, host = mini.ready()
    secret = mini.platform.secret
    assert mini.run(host) == [2, 3]
    assert keepers(module, secret) == ["journal"]
    assert (module.state / "journal").stat().st_mode & 0o077 == 0
    host.ok("AT+FOTAINSTALL")
    host.lines_until(r"\+FOTARESULT: .*")
    host.settle()
    host.ok(f"AT+FOTACONFIRM={keep}")
    until_nobody_keeps(module, secret)
    assert secret.decode() not in module.log.read_text()
