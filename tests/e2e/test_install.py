# SPDX-License-Identifier: Apache-2.0
"""From the downloaded package to the version that runs, and back."""

import random
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


def until(is_so, what, limit_s=30.0):
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


# ---- back to the old version ----

def test_a_host_rolls_back(world):
    module, host = on_trial(world)
    host.ok("AT+FOTACONFIRM=0")
    assert result(host)[1] == (307, V1, V2)
    host.settle()
    assert version(host) == V1 and host.state()[0] == IDLE and asked(host) == (307, V1, V2)
    assert boot_file(module)["slot"] == "a"


def test_a_trial_ends_by_time(world):
    module = world.module()
    host = world.host(module)
    setting(host, "trialtime", "2")
    download(world, host)
    assert install(host)[1] == (0, V1, V2)
    assert result(host)[1] == (509, V1, V2)
    host.settle()
    assert version(host) == V1


def test_restarts_during_the_trial_are_counted(world):
    module, host = on_trial(world)
    for left in ("1", "0"):
        module.kill9()
        host.close()
        module.start()
        assert (boot_file(module)["slot"], boot_file(module)["tries"]) == ("b", left)
    module.kill9()
    module.start()
    host = world.host(module)
    assert version(host) == V1 and asked(host) == (508, V1, V2) and host.state()[0] == IDLE


def test_restarts_by_a_host_are_counted_too(world):
    module = world.module()
    host = world.host(module)
    setting(host, "trialboots", "1")
    download(world, host)
    assert install(host)[1] == (0, V1, V2)
    host.settle()
    host.ok("AT+CRESET")
    assert result(host)[1] == (508, V1, V2)
    host.settle()
    assert version(host) == V1


@pytest.mark.parametrize("how", ["restart", "start"])
def test_an_image_that_is_damaged_before_it_runs_never_runs(world, how):
    module = world.module()
    host = world.host(module)
    download(world, host)
    host.ok("AT+FOTAINSTALL")
    with open(module.state / "slot-b", "r+b") as slot:
        slot.seek(100_000)
        byte = slot.read(1)
        slot.seek(100_000)
        slot.write(bytes([byte[0] ^ 0x10]))
    if how == "start":
        until(lambda: boot_file(module)["state"] == "armed", "the order is stored")
        module.kill9()
        host.close()
        module.start()
        host = world.host(module)
        assert asked(host) == (306, V1, V2)
    else:
        assert result(host)[1] == (306, V1, V2)
        host.settle()
    assert version(host) == V1 and host.state()[0] == IDLE
    assert boot_file(module)["slot"] == "a"


# ---- refusals ----

def test_what_is_refused_and_when(world):
    module = world.module()
    host = world.host(module)
    host.ok("AT+CMEE=1")
    assert host.refused("AT+FOTAINSTALL") == "+CME ERROR: 303"
    assert host.refused("AT+FOTACONFIRM=1") == "+CME ERROR: 303"
    download(world, host)
    assert host.refused("AT+FOTACONFIRM=0") == "+CME ERROR: 303"
    # in one piece, since a module that goes down is deaf
    lines = ["AT+FOTAINSTALL", world.command(target=V3), world.command(name="FOTACHECK"), "AT+FOTAINSTALL"]
    host.write("".join(line + "\r" for line in lines).encode())
    assert [host.wait_final() for _ in lines] == ["OK"] + 3 * ["+CME ERROR: 308"]
    result(host)
    host.settle()
    host.ok("AT+CMEE=1;+CAPFOTA=1")
    assert host.state()[0] == TRIAL
    for line in (world.command(target=V3), world.command(name="FOTACHECK"), "AT+FOTAINSTALL"):
        assert host.refused(line) == "+CME ERROR: 308"
    host.ok("AT+FOTACONFIRM=1")
    assert host.refused("AT+FOTACONFIRM=1") == "+CME ERROR: 303"
    until(lambda: host.state()[0] == IDLE, "the version is confirmed")
    assert host.refused("AT+FOTAINSTALL") == "+CME ERROR: 303"


# ---- without commands ----

def test_a_module_installs_and_confirms_by_itself(world):
    module = world.module()
    host = world.host(module)
    setting(host, "autoinstall", "1")
    setting(host, "autoconfirm", "1")
    world.publish(150_000, version=V2)
    assert world.run(host, target=V2) == [2, 3]
    assert result(host)[1] == (0, V1, V2)
    host.settle()
    until(lambda: host.state()[0] == IDLE, "confirmed by itself")
    assert version(host) == V2 and boot_file(module)["state"] == "idle"


def window(shift_min, length_min):
    """A window in UTC that begins `shift_min` from now."""
    now = int(time.time() // 60)
    at = [(now + minutes) % 1440 for minutes in (shift_min, shift_min + length_min)]
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in at)


def test_outside_of_its_window_nothing_is_installed(world):
    module = world.module()
    host = world.host(module)
    setting(host, "autoinstall", "1")
    setting(host, "window", window(120, 60))
    world.publish(150_000, version=V2)
    assert world.run(host, target=V2) == [2, 3]
    time.sleep(1)
    assert host.state()[0] == READY
    setting(host, "window", window(-60, 120))
    assert result(host)[1] == (0, V1, V2)


@pytest.mark.parametrize("name,good,bad", [
    ("autoinstall", "1", "2"), ("autoconfirm", "0", "yes"), ("trialtime", "1", "0"), ("trialboots", "255", "256"),
    ("window", "23:59-00:00", "24:00-01:00"), ("window", "02:00-04:30", "02:00-4:30")])
def test_settings_of_the_installation(mini, name, good, bad):
    host = mini.host(mini.module())
    setting(host, name, good)
    assert host.ok(f'AT+FOTACFG="{name}"') == [f'+FOTACFG: "{name}","{good}"']
    assert host.refused(f'AT+FOTACFG="{name}","{bad}"') == "ERROR"
    assert host.ok(f'AT+FOTACFG="{name}"') == [f'+FOTACFG: "{name}","{good}"']


# ---- the platform ----

def standing(world):
    """Where the platform sees the one device."""
    deployment, = world.platform.deployments()
    return [name for name, count in deployment["counts"].items() if count]


def test_the_platform_says_installed_only_when_it_is_confirmed(world):
    module, host = on_trial(world)
    until(lambda: standing(world) == ["installing"], "the platform knows of the installation")
    time.sleep(0.5)
    assert standing(world) == ["installing"]
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: standing(world) == ["installed"], "the platform knows that it is confirmed")


def test_the_platform_learns_of_a_roll_back(world):
    module, host = on_trial(world)
    host.ok("AT+FOTACONFIRM=0")
    until(lambda: standing(world) == ["rolled_back"], "the platform knows of the roll-back")


# ---- kills at random moments ----

def test_a_kill_at_any_moment_leaves_the_old_or_the_new_version(world, is_soak):
    """A module that installs and confirms by itself, killed again and again: it always comes up with one of two
    whole versions, and gets on in the end."""
    module = world.module()
    host = world.host(module)
    setting(host, "autoconfirm", "1")
    setting(host, "trialboots", "255")
    world.publish(2_000_000, version=V2)
    chance = random.Random(11)
    seen = set()
    for turn in range(60 if is_soak else 12):
        if host.state()[0] == IDLE and version(host) == V1:
            host.write((world.command(target=V2) + "\r").encode())
        time.sleep(chance.random() * 0.2)
        host.write(b"AT+FOTAINSTALL\r")
        time.sleep(chance.random() * (1.6 if turn % 2 else 0.05))
        module.kill9()
        host.close()
        module.start()
        host = world.host(module)
        runs = version(host)
        seen.add((boot_file(module)["slot"], runs))
        assert (boot_file(module)["slot"], runs) in {("a", V1), ("b", V2)}, f"turn {turn}"
        slot, size = module.state / "slot-b", len(world.image)
        assert runs == V1 or slot.read_bytes()[:size] == world.image
    end = time.monotonic() + 30
    while version(host) != V2:
        assert time.monotonic() < end, "it does not get on"
        if host.state()[0] == READY:
            host.ok("AT+FOTAINSTALL")
            result(host)
            host.settle()
        elif host.state()[0] == IDLE:
            host.ok("AT+CAPFOTA=1")
            assert world.run(host, target=V2)[-1] == 3
    until(lambda: host.state()[0] == IDLE, "the new version is confirmed")
    until(lambda: standing(world) == ["installed"], "and the platform knows")
