# SPDX-License-Identifier: Apache-2.0
"""AT+CMUX: four ports on one line, spoken to by the frames of lib/cmux.py."""

import re
import socket
import time

import pytest
import serial

from lib import faults
from lib.cmux import (CLD, DM, FC, FCOFF, FCON, NSC, PSC, RTC, RTR, SABM, TEST, UA, UIH, Mux, frame, message)
from lib.links import closed_port

CODES = rb"\+CSCFOTA: 2\r\n\r\n\+CSCFOTA: 3\r\n"


@pytest.fixture
def line(mini):
    """(module, port): a running module and its line, echo off."""
    mini.publish()
    module = mini.module()
    port = serial.Serial(str(module.link), 115200, timeout=0.005)
    port.write(b"ATE0\r")
    wait_ok(port)
    yield module, port
    port.close()


def wait_ok(port, limit_s=5.0):
    return wait_for(port, b"OK\r\n", b"", limit_s)


def wait_for(port, text, data, limit_s=5.0):
    """What was read with what comes until it has the text."""
    end = time.monotonic() + limit_s
    while text not in data:
        assert time.monotonic() < end, data
        data += port.read(64)
    return data


def ask_line(port, text):
    port.write(text + b"\r")
    return wait_ok(port)


def test_the_command_has_its_forms_and_refuses_what_it_cannot_do(mini):
    _, host = mini.ready()
    assert host.ok("AT+CMUX=?") == ["+CMUX: (0),(0),(1-8),(1-1540),(1-255),(0-100),(2-255),(1-255),(1-7)"]
    assert host.ok("AT+CMUX?") == ["+CMUX: 0,0,5,31,10,3,30,10,2"]
    for values in ("1", "0,1", "0,0,9", "0,0,5,0", "0,0,5,1541", "0,0,5,31,10,3,1", "", "0,0,5,127,10,3,30,10,2,1"):
        assert host.refused(f"AT+CMUX={values}") == "ERROR"
    assert host.ok("AT") == []


@pytest.mark.parametrize("command,size", [("AT+CMUX=0", 31), ("AT+CMUX=0,0,5,127", 127),
                                          ("AT+CMUX=0,0,5,1509,10,3,30,10,2", 1509), ("at+cmux=0,,,16", 16)])
def test_frames_have_the_size_that_was_asked_for(line, command, size):
    mux = Mux(line[1], command)
    one = mux.open(1)
    assert b"AT+CSCFOTA" in one.ask("AT+CLAC")
    assert mux.info_max == min(size, mux.info_max) and mux.info_max >= min(size, 200)


def test_each_channel_is_a_port_of_its_own(line):
    mux = Mux(line[1])
    ports = [mux.open(number) for number in (1, 2, 3, 4)]
    mux.send(5, SABM | 0x10)
    assert mux.answer(5) == DM
    ports[0].ask("ATE0;+CMEE=2")
    assert ports[0].ask("AT+CMEE?") == b"\r\n+CMEE: 2\r\n"
    assert ports[1].ask("AT+CMEE?") == b"AT+CMEE?\r\r\n+CMEE: 0\r\n", "echo and +CMEE of the profile"
    for port in ports:
        port.write(b"AT\r")
    for port in ports:
        port.until(rb"\r\nOK\r\n")
    ports[0].write(b"AT+CMUX=0\r")
    ports[0].until(rb"\+CME ERROR: operation not allowed\r\n")


def test_an_upgrade_runs_on_a_channel_while_another_one_asks(mini, line):
    module, port = line
    mux = Mux(port, "AT+CMUX=0,0,5,127")
    one, two = mux.open(1), mux.open(2)
    one.ask("ATE0;+CAPFOTA=1")
    two.ask("ATE0")
    one.ask(mini.command())
    assert b"+FOTASTATE: " in two.ask("AT+FOTASTATE?")
    one.until(CODES)
    two.quiet()
    assert mini.slot_holds(module, mini.image)


def test_a_session_of_the_line_is_told_on_channel_one_and_back(mini, line):
    _, port = line
    mini.net.rule("package", faults.body(rate=256 * 1024))
    ask_line(port, b"AT+CAPFOTA=1")
    wait_for(port, b"+CSCFOTA: 2\r\n", ask_line(port, mini.command().encode()))
    mux = Mux(port)
    two, one = mux.open(2), mux.open(1)
    one.until(rb"\+CSCFOTA: 3\r\n", 20)
    two.quiet()


def test_close_down_gives_the_line_back_with_its_settings(line):
    _, port = line
    ask_line(port, b"AT+CMEE=1")
    mux = Mux(port)
    mux.open(1).ask("AT+CMEE=2")
    assert mux.ask(CLD) == (CLD, b"")
    assert ask_line(port, b"AT+CMEE?") == b"\r\n+CMEE: 1\r\n\r\nOK\r\n"
    mux = Mux(port)
    assert mux.open(1).ask("ATE0;+CMEE?").endswith(b"+CMEE: 0\r\n"), "a channel begins anew"


def test_the_end_of_the_control_channel_ends_it_too(line):
    _, port = line
    mux = Mux(port)
    mux.open(1)
    assert mux.close(1) == UA and mux.close(1) == DM and mux.close(0) == UA
    assert ask_line(port, b"AT") == b"\r\nOK\r\n"


def test_a_restart_of_the_module_ends_it(line):
    _, port = line
    mux = Mux(port)
    one = mux.open(1)
    one.write(b"ATE0\r")
    one.until(rb"OK\r\n")
    one.ask("AT+CRESET")
    data, end = b"", time.monotonic() + 10
    while b"\r\nRDY\r\n" not in data:
        assert time.monotonic() < end, data
        data += port.read(64)
    assert frame(0, UIH, message(CLD), command=False) in data, "the host is told"
    time.sleep(0.2)
    port.reset_input_buffer()
    assert ask_line(port, b"ATE0").endswith(b"\r\nOK\r\n")


def test_the_end_of_the_module_is_told(mini):
    number = closed_port()
    module = mini.module("--tcp", f"127.0.0.1:{number}")
    port = Socket(("127.0.0.1", number))
    mux = Mux(port)
    mux.open(1)
    assert module.sigterm() == 0
    end = time.monotonic() + 5
    while (CLD, True, b"") not in mux.control:
        assert time.monotonic() < end, mux.control
        mux.read()


def test_frames_right_behind_the_command_are_frames(line):
    _, port = line
    port.write(b"AT+CMUX=0\r" + frame(0, SABM | 0x10) + frame(1, SABM | 0x10) + frame(1, UIH, b"ATI\r"))
    data, end = b"", time.monotonic() + 5
    while b"Manufacturer" not in data:
        assert time.monotonic() < end, data
        data += port.read(256)
    assert data.startswith(b"\r\nOK\r\n" + frame(0, UA | 0x10))


def test_frames_right_before_the_end_and_lines_right_behind(line):
    _, port = line
    Mux(port)
    port.write(frame(0, UIH, message(CLD)) + b"AT\r")
    data, end = b"", time.monotonic() + 5
    while not data.endswith(b"\r\nOK\r\n"):
        assert time.monotonic() < end, data
        data += port.read(64)
    assert data == frame(0, UIH, message(CLD, command=False), command=False) + b"\r\nOK\r\n"


def test_noise_and_broken_frames_cost_themselves_only(line):
    mux = Mux(line[1])
    one = mux.open(1)
    one.ask("ATE0")
    for noise in (b"\xf9" * 5, b"AT\r\n", b"\xf9\x07\xef\xff\x00", b"\xf9\x07\xef\x07AT\r\x00\xf9", bytes(range(200)) * 3):
        mux.port.write(noise)
        time.sleep(1.1)  # a length inside noise asks for bytes that never come
        assert one.ask("AT") == b""
    mux.port.write(frame(1, UIH, b"AT\r")[:-3])  # and without a pause: the next frame may go, the one behind not
    one.write(b"AT\r")
    one.write(b"AT+CMEE?\r")
    one.until(rb"\+CMEE: 0\r\n\r\nOK\r\n")


def test_a_stopped_channel_keeps_its_answers_and_holds_nobody_up(line):
    mux = Mux(line[1])
    one, two = mux.open(1), mux.open(2)
    one.ask("ATE0")
    two.ask("ATE0")
    mux.signals(1, FC | RTC | RTR)
    one.write(b"AT+CMEE?\r")
    assert two.ask("AT") == b""
    one.quiet()
    mux.signals(1, RTC | RTR)
    assert one.until(rb"OK\r\n") == b"\r\n+CMEE: 0\r\n\r\nOK\r\n"
    mux.ask(FCOFF)
    two.write(b"AT\r")
    two.quiet()
    mux.ask(FCON)
    two.until(rb"\r\nOK\r\n")


def test_messages_of_the_control_channel(line):
    mux = Mux(line[1])
    mux.open(1)
    assert mux.ask(TEST, b"any text") == (TEST, b"any text")
    assert mux.ask(0xD0, b"\x07\x01") == (NSC, b"\xd3")
    assert mux.ask(PSC) == (PSC, b"")
    mux.port.write(b"\xf9" * 3)
    assert mux.channels[1].ask("ATE0") == b"ATE0\r"


def test_an_answer_that_nobody_reads_blocks_nothing(mini, line):
    module, port = line
    mux = Mux(port, "AT+CMUX=0,0,5,1509")
    one = mux.open(1)
    one.ask("ATE0")
    for _ in range(200):
        one.write(b"AT+CLAC\r")
        time.sleep(0.001)
    other = mini.module()
    assert mini.run(mini.host(other)) == [2, 3]
    assert module.process.poll() is None
    end = time.monotonic() + 30
    while True:  # a frame whose end was dropped swallows what follows it: then once more
        drained(port, end)
        mux.rest = b""
        one.write(b"AT\r")
        if b"\r\nOK\r\n" in (found := drained(port, end)) and b"AT+" not in found:
            return


def drained(port, end):
    """What comes until the line is quiet."""
    data, last = b"", time.monotonic()
    while time.monotonic() - last < 0.3:
        assert time.monotonic() < end, data[-100:]
        piece = port.read(4096)
        last = time.monotonic() if piece else last
        data += piece
    return data


def test_a_host_that_goes_without_a_word_leaves_an_at_port(line):
    module, port = line
    Mux(port).open(1)
    port.close()
    module.rest()
    with serial.Serial(str(module.link), timeout=0.05) as again:
        assert ask_line(again, b"AT") == b"\r\nOK\r\n"


class Socket:
    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=5)
        self.sock.settimeout(0.01)

    def write(self, data):
        self.sock.sendall(data)

    def read(self, size):
        try:
            return self.sock.recv(size)
        except TimeoutError:
            return b""


def test_a_tcp_line_is_multiplexed_and_a_new_host_begins_anew(mini):
    number = closed_port()
    mini.publish()
    mini.module("--tcp", f"127.0.0.1:{number}")
    for _ in range(2):
        port = Socket(("127.0.0.1", number))
        mux = Mux(port)
        assert re.search(rb"IMEI: 860000000000019", mux.open(3).ask("ATI"))
        port.sock.close()


def test_a_telnet_line_is_multiplexed(mini):
    number = closed_port()
    mini.publish()
    module = mini.module("--tcp", f"127.0.0.1:{number},rfc2217")
    with serial.serial_for_url(f"rfc2217://127.0.0.1:{number}", timeout=0.02) as port:
        mux = Mux(port, "AT+CMUX=0,0,5,127")
        one = mux.open(1)
        one.ask("ATE0;+CAPFOTA=1")
        one.ask(mini.command())
        one.until(CODES)
    assert mini.slot_holds(module, mini.image)
