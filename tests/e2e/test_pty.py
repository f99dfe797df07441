# SPDX-License-Identifier: Apache-2.0
"""What hosts find out about a pseudo terminal: it is a raw line from the first byte
on, old answers never greet the next host, and nobody who does not read holds the module up."""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
import serial

from lib.programs import needs, wait_for

TIOCGEXCL = 0x80045440
N_PPP = 3


class Raw:
    """A host that opens the terminal and sets nothing."""

    def __init__(self, link):
        self.fd = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def write(self, data):
        os.write(self.fd, data)

    def until(self, ending, limit_s=5.0):
        data, end = b"", time.monotonic() + limit_s
        while not data.endswith(ending):
            assert time.monotonic() < end, data
            if select.select([self.fd], [], [], 0.05)[0]:
                data += os.read(self.fd, 4096)
        return data

    def quiet(self, for_s=0.2):
        assert not select.select([self.fd], [], [], for_s)[0], os.read(self.fd, 4096)

    def waiting(self):
        return b"" if not select.select([self.fd], [], [], 0)[0] else os.read(self.fd, 65536)


def cpu_ticks(module):
    fields = open(f"/proc/{module.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_the_first_byte_meets_a_raw_line(mini):
    module = mini.module()
    with Raw(module.link) as host:
        host.write(b"AT\r")
        assert host.until(b"OK\r\n") == b"AT\r\r\nOK\r\n", "no echo and no translation but the module's"
        iflag, oflag, _, lflag = termios.tcgetattr(host.fd)[:4]
    assert not lflag & (termios.ECHO | termios.ICANON | termios.ISIG) and not oflag & termios.OPOST
    assert not iflag & (termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)


def test_a_host_that_leaves_a_cooked_line_does_not_spoil_it_for_the_next(mini):
    module = mini.module()
    with Raw(module.link) as host:
        mode = termios.tcgetattr(host.fd)
        mode[0] |= termios.ICRNL
        mode[1] |= termios.OPOST
        mode[3] |= termios.ECHO | termios.ICANON | termios.ISIG
        termios.tcsetattr(host.fd, termios.TCSANOW, mode)
    module.rest()
    test_raw = b"AT\r\r\nOK\r\n"
    with Raw(module.link) as host:
        host.write(b"AT\r")
        assert host.until(b"OK\r\n") == test_raw


@pytest.mark.parametrize("how", ["halted", "with another discipline"])
def test_a_host_that_leaves_the_line_unusable_does_not_spoil_it_for_the_next(mini, how):
    """On a serial device both end with the last close."""
    module = mini.module()
    with Raw(module.link) as host:
        if how == "halted":
            termios.tcflow(host.fd, termios.TCOOFF)
        else:
            try:
                fcntl.ioctl(host.fd, termios.TIOCSETD, struct.pack("i", N_PPP))
            except OSError as error:
                pytest.skip(f"no such line discipline: {error}")
    time.sleep(0.1)
    with Raw(module.link) as host:
        host.write(b"AT\r")
        assert host.until(b"OK\r\n") == b"AT\r\r\nOK\r\n"


def test_a_host_that_leaves_reads_that_do_not_wait_does_not_spoil_it_for_the_next(mini):
    """As pyserial does: VMIN is 0. So `cat` would find the end of the file."""
    module = mini.module()
    with Raw(module.link) as host:
        found = termios.tcgetattr(host.fd)
        mode = termios.tcgetattr(host.fd)
        mode[0] |= termios.ISTRIP | termios.IGNCR
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 5
        termios.tcsetattr(host.fd, termios.TCSANOW, mode)
    time.sleep(0.1)
    with Raw(module.link) as host:
        assert termios.tcgetattr(host.fd) == found


def test_what_a_host_sets_stays_while_it_is_there(mini):
    """A speed means nothing, and is kept as it was set."""
    module = mini.module()
    with serial.Serial(str(module.link), 9600, timeout=0.05) as port:
        before = termios.tcgetattr(port.fileno())
        for _ in range(3):
            with Raw(module.link):
                pass
        module.rest()
        assert termios.tcgetattr(port.fileno()) == before
        port.baudrate = 460800
        port.write(b"AT\r")
        assert port.read_until(b"OK\r\n", 100).endswith(b"OK\r\n") or port.read(20).endswith(b"OK\r\n")


def test_hosts_that_come_and_go_cost_no_error_and_no_time(mini):
    module = mini.module()
    for _ in range(50):
        Raw(module.link).close()
    module.rest()
    before = cpu_ticks(module)
    time.sleep(0.5)
    assert cpu_ticks(module) - before <= 5, "the module is busy with nobody there"
    with Raw(module.link) as host:
        host.write(b"AT\r")
        host.until(b"OK\r\n")
    log = module.log.read_text()
    assert "rror" not in log.replace("--log-level error", ""), log


def test_old_answers_never_greet_the_next_host(mini):
    module = mini.module()
    with Raw(module.link) as host:
        host.write(b"AT+CLAC\rAT+CLAC\rAT+CL")
        wait_for(lambda: select.select([host.fd], [], [], 0)[0], "answer that nobody reads")
    module.rest()
    with Raw(module.link) as host:
        host.quiet()


@pytest.mark.parametrize("left", [b"AT", b"A", b"AT+CAPFOTA=1\n", b'AT+CSCFOTA="SIM'], ids=repr)
def test_a_line_that_a_host_left_does_not_begin_that_of_the_next(mini, left):
    """`echo AT > link` ends no line: LF does not."""
    module = mini.module()
    with Raw(module.link) as host:
        host.write(b"ATE0\r")
        host.until(b"OK\r\n")
        host.write(left)
    time.sleep(0.1)  # a host that follows at once shares the line with the last one
    with Raw(module.link) as host:
        host.write(b"AT+CAPFOTA?\r")
        assert host.until(b"OK\r\n") == b"\r\n+CAPFOTA: 0\r\n\r\nOK\r\n", "its settings stay"


def test_commands_of_a_host_that_did_not_wait_run_without_a_word(mini):
    module = mini.module()
    with Raw(module.link) as host:
        host.write(b"AT+CLAC\r" * 200 + b"AT+CAPFOTA=1\r")
    module.rest()
    with Raw(module.link) as host:
        host.quiet()
        host.write(b"ATE0\r")
        host.until(b"OK\r\n")
        host.write(b"AT+CAPFOTA?\r")
        assert host.until(b"OK\r\n") == b"\r\n+CAPFOTA: 1\r\n\r\nOK\r\n"


def test_result_codes_of_nobody_s_session_do_not_wait(mini):
    module, host = mini.ready()
    mini.begin(host)
    host.close()
    wait_for(lambda: "the platform has the report" in module.log.read_text(), "end of the session")
    with Raw(module.link) as later:
        later.quiet()
        later.write(b"AT+FOTALAST?\r")
        assert b"+FOTALAST: 3," in later.until(b"OK\r\n"), "but are not lost"


def test_two_hosts_share_a_line_and_the_last_one_decides(mini):
    module = mini.module()
    with Raw(module.link) as one:
        with Raw(module.link) as two:
            two.write(b"AT\r")
            two.until(b"OK\r\n")
            two.write(b"ATI\r")
            wait_for(lambda: select.select([one.fd], [], [], 0)[0], "answer")
        module.rest()
        assert one.until(b"OK\r\n").startswith(b"ATI\r"), "it is there for the one that stayed"


@contextlib.contextmanager
def slow(module, call):
    """Each of these system calls of the module takes a tenth of a second."""
    needs("strace")
    words = ["strace", "-qq", "-o", "/dev/null", "-p", str(module.process.pid), "-e", f"trace={call}",
             "-e", f"inject={call}:delay_enter=100000"]
    status = Path(f"/proc/{module.process.pid}/status")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as tracer:
        wait_for(lambda: "TracerPid:\t0\n" not in status.read_text() or tracer.poll(), "tracer", pause_s=0.01)
        if tracer.poll():
            pytest.skip(tracer.stderr.read())
        try:
            yield
            module.rest()  # a tracer that leaves in the middle of a delay may hang
        finally:
            tracer.terminate()


@pytest.mark.parametrize("call, gaps_s", [("openat", (0, 0.02, 0.05, 0.08, 0.15)),
                                          ("read", (0.05, 0.15, 0.25, 0.35, 0.45, 0.55))])
def test_a_host_that_comes_while_the_last_one_is_seen_off_is_answered(mini, call, gaps_s):
    """However slow the module is just then, and whatever it does."""
    module = mini.module()
    with slow(module, call):
        for gap_s in gaps_s:
            Raw(module.link).close()
            time.sleep(gap_s)
            with Raw(module.link) as host:
                host.write(b"AT\r")
                host.until(b"OK\r\n")


def test_a_host_that_waits_in_read_while_the_last_one_is_seen_off_is_not_disturbed(mini):
    """A line discipline that is set, even to what it is, makes read() fail."""
    script = r"""exec 3<>"$1"; printf 'AT\r' >&3; exec head -c 9 <&3"""
    module = mini.module()
    with slow(module, "ioctl"):
        for gap_s in (0, 0.1, 0.2):
            Raw(module.link).close()
            time.sleep(gap_s)
            host = subprocess.run(["sh", "-c", script, "sh", module.link], capture_output=True, timeout=10, check=True)
            assert host.stdout == b"AT\r\r\nOK\r\n"


@pytest.mark.parametrize("capability", ["with", "without"])
def test_exclusive_use_ends_with_the_host(mini, tmp_path, capability):
    """TIOCEXCL outlives its host; who may not open the terminal any more gives the link another."""
    program = mini.program
    if capability == "without":
        needs("setpriv")
        mini.program = tmp_path / "unprivileged"
        mini.program.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-sys_admin "{program}" "$@"\n')
        mini.program.chmod(0o755)
    module = mini.module()
    for _ in range(3):
        with Raw(module.link) as host:
            assert fcntl.ioctl(host.fd, TIOCGEXCL, bytes(4)) == bytes(4), "left by the last one"
            fcntl.ioctl(host.fd, termios.TIOCEXCL)
            host.write(b"AT\r")
            host.until(b"OK\r\n")
        module.rest()
    before = cpu_ticks(module)
    time.sleep(0.5)
    assert cpu_ticks(module) - before <= 5, "the module is busy with nobody there"


def test_an_unread_line_blocks_neither_the_module_nor_itself(mini):
    module, host = mini.ready(ports=2)
    with Raw(module.links[1]) as deaf:
        for _ in range(400):
            try:
                deaf.write(b"AT+CLAC\r")
            except BlockingIOError:  # the module reads no faster; it does not stop
                time.sleep(0.005)
        assert mini.run(host) == [2, 3]
        begun = time.monotonic()
        host.ok("AT")
        assert time.monotonic() - begun < 0.1 * mini.patience()
        wait_for(lambda: not deaf.waiting(), "end of what was kept", pause_s=0.05)
        deaf.write(b"\rATE0\r")
        deaf.until(b"OK\r\n")
        deaf.write(b"AT\r")
        assert deaf.until(b"OK\r\n").endswith(b"\r\nOK\r\n")
    assert module.rss_bytes() < 200 << 20


def test_the_link_is_stable_and_goes_with_the_module(mini):
    module = mini.module()
    target = os.readlink(module.link)
    for _ in range(5):
        with Raw(module.link) as host:
            host.write(b"AT\r")
            host.until(b"OK\r\n")
    assert os.readlink(module.link) == target
    module.process.send_signal(signal.SIGTERM)
    assert module.wait() == 0
    assert not os.path.lexists(module.link)


def test_a_link_left_by_a_killed_module_is_replaced(mini):
    module = mini.module()
    module.kill9()
    assert os.path.lexists(module.link)
    os.symlink(os.readlink(module.link), str(module.link) + ".other")
    os.rename(str(module.link) + ".other", module.link)
    module.process = None
    module.start()
    with Raw(module.link) as host:
        host.write(b"AT\r")
        host.until(b"OK\r\n")


def test_modem_control_is_refused_by_the_kernel_and_hosts_can_ignore_it(mini):
    """pyserial with its defaults opens the line; asking for circuits fails as on any
    pseudo terminal."""
    module = mini.module()
    with serial.Serial(str(module.link), timeout=0.05, dsrdtr=False, rtscts=False) as port:
        with pytest.raises(OSError):
            port.cts  # pylint: disable=pointless-statement
        port.write(b"AT\r")
        assert b"OK" in port.read(20) + port.read(20)
