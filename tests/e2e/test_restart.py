# SPDX-License-Identifier: Apache-2.0
"""A host restarts the module: AT+CRESET, AT+CFUN=1,1."""

import subprocess

import pytest

from lib import faults
from lib.programs import needs
from lib.world import MIB

HANG_S = 6

BOOT = {
    "sim7600": ["RDY", "+CPIN: READY", "SMS DONE", "PB DONE"],
    "a7600": ["*ATREADY: 1", "+CPIN: READY", "SMS DONE"],
}


def test_a_restart_ends_the_session_with_508_and_the_next_one_goes_on(mini):
    module, host = mini.ready(size=4 * MIB)
    mini.net.rule("package", faults.body(rate=MIB), 1, 1)
    host.ok("AT+FOTAPROG=1")
    mini.begin(host)
    host.lines_until(r"\+FOTAPROG: [1-9].*")
    assert not host.ok("AT+CRESET")[1:]
    lines = [line for line in host.lines_until("PB DONE") if not line.startswith("+FOTAPROG")]
    assert lines == ["+CSCFOTA: 4", "+CSCFOTA: 508"] + BOOT["sim7600"]
    host.settle()
    assert host.ok("AT+CAPFOTA?") == ["+CAPFOTA: 0"]
    assert host.last()[0] == 508
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start > 0
    assert mini.slot_holds(module, mini.image)


@pytest.mark.parametrize("profile", sorted(BOOT))
def test_settings_are_those_of_the_profile_after_a_restart(mini, profile):
    module = mini.module("--profile", profile, ports=2)
    host, other = mini.host(module), mini.host(module, port=1)
    host.ok("AT+CMEE=2;+CREG=2;+FOTAPROG=1")
    other.ok("AT+CFUN=1,1")
    for it in (host, other):
        assert it.lines_until(BOOT[profile][-1]) == BOOT[profile]
    host.write(b"AT+CMEE?\r")
    assert host.bytes_until(b"OK\r\n") == b"AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n"
    host.settle()
    assert host.ok("AT+CREG?;+FOTAPROG?;+CFUN?") == ["+CREG: 0,1", "+FOTAPROG: 0", "+CFUN: 1"]


def test_a_restart_while_the_disk_hangs_ends_and_says_so(mini):
    module, host = mini.ready("--fault", "slot.sync=hang", "--storage-limit", "300")
    assert mini.run(host) == [2, 305]
    host.ok("AT+CRESET")
    assert host.lines_until("PB DONE") == BOOT["sim7600"]
    host.settle()
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [305]
    assert "does not answer: sessions end with 305" in module.log.read_text()


def hang_at_the_next_start(mini, tmp_path):
    """The first read of the journal takes some seconds longer than the module waits."""
    needs("strace")
    state, program = mini.folder / "module1" / "state", mini.program
    mini.program = tmp_path / "hanging"
    mini.program.write_text(f"""#!/bin/sh
exec strace -D -f -qq -o /dev/null -P "{state}/journal" -e trace=pread64 \
    -e inject=pread64:delay_enter={HANG_S}s:when=1 "{program}" "$@"
""")
    mini.program.chmod(0o755)


def test_a_start_while_the_disk_hangs_serves_hosts_until_it_answers(mini, tmp_path):
    mini.ready()[0].stop()
    hang_at_the_next_start(mini, tmp_path)
    module, host = mini.ready("--storage-limit", "300")
    assert mini.run(host) == [305]
    assert host.ok("AT+CGMR")
    assert host.lines_until("PB DONE", limit_s=HANG_S + 5) == BOOT["sim7600"]
    assert "answers again" in module.log.read_text()
    host.settle()
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [2, 3]
    assert mini.slot_holds(module, mini.image)
    module.kill9()  # a sanitizer would look for leaks, which it cannot while strace is there


def test_a_disk_that_answers_late_restarts_the_module_and_not_the_system(mini, tmp_path):
    """A disk that is slow at each start of the system would restart it for ever."""
    hook, calls = tmp_path / "installer", tmp_path / "calls"
    hook.write_text(f'#!/bin/sh\necho "$1" >>"{calls}"\n')
    hook.chmod(0o755)
    mini.ready("--installer", hook)[0].stop()
    hang_at_the_next_start(mini, tmp_path)
    module, host = mini.ready("--installer", hook, "--storage-limit", "300")
    assert host.lines_until("PB DONE", limit_s=HANG_S + 5) == BOOT["sim7600"]
    assert "answers again" in module.log.read_text()
    module.kill9()
    assert "restart" not in (calls.read_text().split() if calls.exists() else [])


def test_a_module_that_restarts_does_not_hear(mini):
    module = mini.module()
    host = mini.host(module)
    host.ok("AT+CRESET")
    host.write(b"ATI\r")
    assert host.lines_until("PB DONE") == BOOT["sim7600"]
    host.quiet()


def stdio(atfotad, folder, *options, text):
    done = subprocess.run([atfotad, "--stdio", "--state", folder / "state", "--log-level", "error", *options],
                          input=text, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_boot_messages_at_the_start_come_only_when_asked_for(atfotad, tmp_path):
    assert stdio(atfotad, tmp_path, text=b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    started = stdio(atfotad, tmp_path, "--boot-messages", text=b"ATE0\r")
    assert started == b"".join(b"\r\n%s\r\n" % line.encode() for line in BOOT["sim7600"]) + b"ATE0\r\r\nOK\r\n"


def test_a_restart_is_finished_before_the_end_of_the_input_counts(atfotad, tmp_path):
    out = stdio(atfotad, tmp_path, text=b"AT+CRESET\r")
    assert out.endswith(b"\r\nSMS DONE\r\n\r\nPB DONE\r\n")
