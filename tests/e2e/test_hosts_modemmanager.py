# SPDX-License-Identifier: Apache-2.0
"""ModemManager makes a modem of the module, and carries its two FOTA commands."""

import os
import subprocess

import pytest

from lib.modemmanager import ModemManager
from lib.programs import needs, wait_for

PROBED = "ttyS0"  # ModemManager takes a name only if the kernel knows it


@pytest.fixture
def start(tmp_path):
    """Starts a ModemManager with these options."""
    needs("ModemManager", "mmcli", "dbus-daemon", "gdbus")
    folder = tmp_path / "mm"
    folder.mkdir()
    started = []

    def run(*options, prefix=()):
        started.append(ModemManager(folder, *options, prefix=prefix))
        return started[0]
    yield run
    for manager in started:
        manager.close()


def upgrade(world, manager):
    assert manager.command("AT+CAPFOTA=1") == "response: ''"
    assert manager.command("AT+CAPFOTA?") == "response: '+CAPFOTA: 1'"
    # ModemManager takes what it reads in one piece with OK for the answer
    assert manager.command(world.command()) in ("response: ''", "response: '+CSCFOTA: 2'")
    wait_for(lambda: "+FOTASTATE: 4," in manager.command("AT+FOTASTATE?"), "end of the session")


@pytest.mark.parametrize("plugin", ["generic", "simtech"])
def test_a_virtual_modem_is_made_enabled_and_upgraded(mini, start, tmp_path, plugin):
    path = tmp_path / "socket"
    module, _ = mini.ready("--unix", str(path))
    manager = start("--test-enable")
    manager.set_profile(plugin, path)
    shown = manager.modem()
    for text in ("SIMCOM INCORPORATED", "7600M21", "V1.00", "860000000000019", "SIM/0"):
        assert text in shown, shown
    assert "successfully enabled" in manager.mmcli("-m", "any", "--enable")
    assert "460" in manager.mmcli("-i", "any"), "the subscriber"
    upgrade(mini, manager)
    assert mini.slot_holds(module, mini.image)


def can_bind():
    """Whether this sandbox allows a private mount namespace with a bind over a terminal."""
    if not os.path.exists(f"/dev/{PROBED}") or not os.path.isdir(f"/sys/class/tty/{PROBED}"):
        return f"no {PROBED} here"
    words = ["unshare", "--mount", "sh", "-c", f"mount --bind /dev/null /dev/{PROBED}"]
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else None


def test_a_terminal_is_probed_and_becomes_a_modem(mini, start, tmp_path):
    needs("unshare")
    reason = can_bind()
    if reason:
        pytest.skip(f"no private mount namespace: {reason}")
    module, host = mini.ready()
    host.close()
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "77-mm-test.rules").write_text("".join(
        f'KERNEL=="{PROBED}", ENV{{{name}}}="1"\n' for name in ("ID_MM_CANDIDATE", "ID_MM_DEVICE_PROCESS")))
    events = tmp_path / "events"
    events.write_text(f"action=add,subsystem=tty,name={PROBED}\n")
    script = (f"mount --bind {rules} /lib/udev/rules.d && "
              f"mount --bind {os.path.realpath(module.link)} /dev/{PROBED} && exec \"$@\"")
    manager = start("--filter-policy=WHITELIST-ONLY", f"--initial-kernel-events={events}",
                    prefix=("unshare", "--mount", "sh", "-c", script, "sh"))
    shown = manager.modem()
    assert "SIMCOM INCORPORATED" in shown and "860000000000019" in shown and PROBED in shown, shown
    upgrade(mini, manager)
    assert mini.slot_holds(module, mini.image)
