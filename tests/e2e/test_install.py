# SPDX-License-Identifier: Apache-2.0
"""From the downloaded package to the version that runs, and back."""

import re
import time

import pytest

from lib.world import TARGET

V1, V2, V3 = "V1.00", TARGET, "V3.00"
RESULT = r'\+FOTARESULT: (\d+),"([^"]*)","([^"]*)"'
BOOT_S = 20.0
# AT+FOTASTATE?
IDLE, READY, INSTALLING, TRIAL = 0, 4, 5, 6


def result(host, limit_s=BOOT_S):
    """(code, old, new) of the unsolicited result, and the lines before it."""
    *before, line = host.lines_until(RESULT, limit_s)
    code, old, new = re.fullmatch(RESULT, line).groups()
    return before, (int(code), old, new)


def asked(host):
    """(code, old, new) of AT+FOTARESULT?; None if nothing was ever installed."""
    lines = host.ok("AT+FOTARESULT?")
    if not lines:
        return None
    code, old, new = re.fullmatch(RESULT, *lines).groups()
    return int(code), old, new


def version(host):
    line, = host.ok("AT+CGMR")
    return line.removeprefix("+CGMR: ")


def setting(host, name, value):
    host.ok(f'AT+FOTACFG="{name}","{value}"')


def boot_file(module):
    return dict(line.split(" = ", 1) for line in (module.state / "boot").read_text().splitlines())


def until(is_so, what, limit_s=15.0):
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end, f"not within {limit_s} s: {what}"
        time.sleep(0.02)


def download(world, host, target=V2, size=200_000, seed=1):
    """A published version that the module has stored and verified."""
    world.publish(size, version=target, seed=seed)
    host.ok("AT+CAPFOTA=1")
    assert world.run(host, target=target) == [2, 3]
    assert host.state()[0] == READY


def install(host):
    """The package that is ready, up to the result after the restart."""
    host.ok("AT+FOTAINSTALL")
    return result(host)


def on_trial(world, *options, **settings):
    """A module that runs V2 on trial, and its host."""
    module = world.module(*options, **settings)
    host = world.host(module)
    download(world, host)
    assert install(host)[1] == (0, V1, V2)
    host.settle()
    return module, host


# ---- the whole way ----

def test_a_package_is_installed_tried_and_confirmed(world):
    module = world.module()
    host = world.host(module)
    assert version(host) == V1 and asked(host) is None
    assert boot_file(module)["slot"] == "a"
    download(world, host)
    before, told = install(host)
    assert before == ["RDY", "+CPIN: READY", "SMS DONE", "PB DONE"]
    assert told == (0, V1, V2)
    host.settle()
    assert version(host) == V2
    assert host.ok("ATI")[2] == f"Revision: {V2}"
    assert host.state()[0] == TRIAL and asked(host) == (0, V1, V2)
    assert host.ok("AT+CAPFOTA?") == ["+CAPFOTA: 0"]
    assert boot_file(module) == {"slot": "b", "version": V2, "state": "trial", "tries": "2", "next": "b",
                                 "next-version": V2}
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: host.state()[0] == IDLE, "the version is confirmed")
    assert boot_file(module)["state"] == "idle" and boot_file(module)["slot"] == "b"
    assert module.restart() and version(world.host(module)) == V2


def test_the_next_package_goes_into_the_other_slot(world):
    module, host = on_trial(world)
    first = world.image
    host.ok("AT+FOTACONFIRM=1")
    download(world, host, V3, seed=3)
    assert (module.state / "slot-a").read_bytes()[:len(world.image)] == world.image
    assert (module.state / "slot-b").read_bytes()[:len(first)] == first
    assert install(host)[1] == (0, V2, V3)
    host.settle()
    assert version(host) == V3 and boot_file(module)["slot"] == "a"
