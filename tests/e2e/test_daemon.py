# SPDX-License-Identifier: Apache-2.0
"""atfotad as a program: options, configuration, errors that say what to do."""

import os
import select
import signal
import subprocess
import threading
import time
import tty

import pytest

from lib import faults
from lib.module import sanitizer_env
from lib.programs import wait_for
from lib.world import TARGET

USAGE = 64


def run(atfotad, tmp_path, *words):
    done = subprocess.run([atfotad, *words], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env=sanitizer_env(tmp_path), cwd=tmp_path)
    return done.returncode, done.stdout, done.stderr


def test_help_and_version(atfotad, tmp_path):
    status, out, _ = run(atfotad, tmp_path, "--help")
    assert status == 0 and "--server" in out and "--fault" in out
    status, out, _ = run(atfotad, tmp_path, "--version")
    assert status == 0 and out.startswith("atfotad ")


WRONG = [
    (["--server", "https://x"], "no port"),
    (["--no-such-option"], "no-such-option"),
    (["--stdio", "--stdio"], "twice"),
    (["--stdio", "extra"], "extra"),
    (["--stdio", "--retries", "many"], "many"),
    (["--stdio", "--retries", "-1"], "-1"),
    (["--stdio", "--slot-size", "1"], "1"),
    (["--stdio", "--profile", "none"], "sim7600"),
    (["--stdio", "--log-level", "loud"], "debug"),
]


@pytest.mark.parametrize("words,hint", WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_wrong_usage_says_what_is_wrong(atfotad, tmp_path, words, hint):
    status, out, err = run(atfotad, tmp_path, "--state", str(tmp_path / "state"), *words)
    assert status == USAGE and hint in err and not out


FAILS = [
    (["--tty", "no/such/device"], "no/such/device"),
    (["--tcp", "127.0.0.1:99999"], "99999"),
    (["--tcp", "nowhere"], "nowhere"),
    (["--pty", "no/such/folder/link"], "no/such/folder/link"),
    (["--stdio", "--fault", "slot"], "AREA.OP=WHAT"),
    (["--stdio", "--fault", "disk.prog=io"], "disk.prog=io"),
    (["--stdio", "--fault", "slot.prog=bad"], "slot.prog=bad"),
    (["--stdio", "--ca", "no-such.pem"], "no-such.pem"),
    (["--stdio", "--config", "no-such.ini"], "no-such.ini"),
    (["--stdio", "--conf=no-such.ini"], "no-such.ini"),
    (["--stdio", "--config", "."], "Is a directory"),
    (["--stdio", "--state", "file/state"], "file/state"),
]


@pytest.mark.parametrize("words,hint", FAILS, ids=[" ".join(row[0]) for row in FAILS])
def test_what_cannot_be_opened_is_named(atfotad, tmp_path, words, hint):
    (tmp_path / "file").write_text("")
    status, _, err = run(atfotad, tmp_path, *words)
    assert status not in (0, 99) and hint in err, err


def test_a_configuration_file_has_the_same_names(mini, tmp_path):
    mini.publish()
    config = tmp_path / "atfotad.ini"
    config.write_text("# a module\n[atfotad]\nfirmware-version = V1.00\ndevice=860000000000019\n"
                      "model = WRONG\nallow-http = true\n")
    module = mini.module("--config", str(config), "--model", "7600M21", identity=[], plain=False)
    assert mini.run(mini.host(module)) == [2, 3]
    assert mini.platform.checks[0]["version"] == "V1.00"


def test_a_wrong_line_in_a_configuration_file_is_named(atfotad, tmp_path):
    (tmp_path / "bad.ini").write_text("device = 1\nnonsense = 2\n")
    status, _, err = run(atfotad, tmp_path, "--stdio", "--config", "bad.ini")
    assert status == USAGE and "nonsense" in err


def test_two_modules_do_not_share_a_state(mini, atfotad, tmp_path):
    module, host = mini.ready()
    status, _, err = run(atfotad, tmp_path, "--stdio", "--state", str(module.state))
    assert status not in (0, 99) and str(module.state) in err
    assert mini.run(host) == [2, 3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(mini, number):
    module, _ = mini.ready()
    module.process.send_signal(number)
    assert module.wait() == 0
    assert not module.link.is_symlink(), "the link stays behind"


def test_a_host_that_comes_and_goes_does_no_harm(mini):
    module, host = mini.ready()
    for _ in range(5):
        host.close()
        host = mini.host(module)
    assert mini.run(host) == [2, 3]


def test_the_lines_of_yesterday_do_not_greet_a_new_host(mini):
    module, host = mini.ready()
    go_on = threading.Event()
    mini.net.rule("check", faults.held(go_on))
    mini.begin(host)
    host.close()  # nobody listens while the session runs
    module.rest()
    go_on.set()
    wait_for(lambda: "the platform has the report" in module.log.read_text(), "end of the session")
    host = mini.host(module)
    assert host.state()[0::3] == (4, TARGET)
    assert "CSCFOTA" not in host.story()


def test_stdio_ends_when_nobody_reads_its_output(atfotad, tmp_path):
    """As in `atfotad --stdio | head -1`, with standard input still open."""
    module = subprocess.Popen([atfotad, "--stdio", "--state", str(tmp_path / "state")], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=sanitizer_env(tmp_path))
    try:
        module.stdin.write(b"AT\r")
        module.stdin.flush()
        assert module.stdout.readline().strip() == b"AT"
        module.stdout.close()
        module.stdin.write(b"AT\r")
        module.stdin.flush()
        assert module.wait(20) == 0
    finally:
        module.kill()
        module.stdin.close()
        module.wait()


def plug_in(link):
    """A serial device with this name: gives its descriptors, the host's end first."""
    ends = os.openpty()
    tty.setraw(ends[1])
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(ends[1]))
    return ends


def answer(fd, limit_s):
    ready, _, _ = select.select([fd], [], [], limit_s)
    return os.read(fd, 100) if ready else b""


def test_a_serial_device_that_vanishes_is_tried_again(atfotad, tmp_path):
    """And the log has one line about it, not one for each try."""
    link, log = tmp_path / "device", tmp_path / "log"
    ends = plug_in(link)
    with log.open("w") as err:
        module = subprocess.Popen([atfotad, "--tty", link, "--state", tmp_path / "state"], stderr=err,
                                  stdin=subprocess.DEVNULL, env=sanitizer_env(tmp_path))
    try:
        os.write(ends[0], b"AT\r")
        assert b"AT" in answer(ends[0], 20)
        for end in ends:
            os.close(end)
        link.unlink()
        time.sleep(4.5)  # two tries
        ends = plug_in(link)
        for _ in range(50):
            os.write(ends[0], b"AT\r")
            if answer(ends[0], 0.1):
                break
        else:
            raise AssertionError(log.read_text())
        module.terminate()
        assert module.wait(20) == 0
    finally:
        module.kill()
        module.wait()
    assert log.read_text().count(str(link)) == 2, log.read_text()


def test_stdio_leaves_a_terminal_as_it_was(atfotad, tmp_path):
    """What runs behind it in the same shell gets no EAGAIN."""
    host, terminal = os.openpty()
    assert os.get_blocking(terminal)
    module = subprocess.Popen([atfotad, "--stdio", "--state", tmp_path / "state"], stdin=terminal, stdout=terminal,
                              stderr=subprocess.DEVNULL, env=sanitizer_env(tmp_path))
    try:
        limit = time.monotonic() + 20
        while os.get_blocking(terminal):
            assert time.monotonic() < limit
            time.sleep(0.01)
        module.terminate()
        assert module.wait(20) == 0
        assert os.get_blocking(terminal)
    finally:
        module.kill()
        module.wait()
        os.close(host)
        os.close(terminal)
