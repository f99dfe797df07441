# SPDX-License-Identifier: Apache-2.0
"""Serial libraries as host software uses them: pyserial on a terminal and over RFC
2217, serialport of npm, socat in front of each kind of line."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import serial

from lib.links import closed_port
from lib.programs import needs, wait_for

NPM = Path(__file__).resolve().parent / "npm"


def ask(port, line, limit_s=10.0):
    port.write(line.encode() + b"\r")
    data, end = b"", time.monotonic() + limit_s
    while not data.endswith(b"OK\r\n"):
        assert time.monotonic() < end and b"ERROR" not in data, data
        data += port.read(1)
    return data


def until(port, text, limit_s=20.0):
    data, end = b"", time.monotonic() + limit_s
    while text not in data:
        assert time.monotonic() < end, data
        data += port.read(1)
    return data


# ---- pyserial ----

@pytest.fixture
def telnet(mini):
    """(world, module, URL) of a line that speaks RFC 2217."""
    number = closed_port()
    mini.publish()
    module = mini.module("--tcp", f"127.0.0.1:{number},rfc2217")
    return mini, module, f"rfc2217://127.0.0.1:{number}"


def test_pyserial_upgrades_over_rfc2217(telnet):
    world, module, url = telnet
    with serial.serial_for_url(url, baudrate=9600, timeout=0.05) as port:
        ask(port, "ATE0")
        ask(port, "AT+CAPFOTA=1")
        ask(port, world.command())
        until(port, b"+CSCFOTA: 3\r\n")
    assert world.slot_holds(module, world.image)


def test_pyserial_sets_what_a_serial_port_has(telnet):
    with serial.serial_for_url(telnet[2] + "?poll_modem", timeout=0.05) as port:
        for name, value in (("baudrate", 921600), ("bytesize", 7), ("parity", "E"), ("stopbits", 2), ("rtscts", True),
                            ("rtscts", False), ("xonxoff", True), ("dtr", False), ("rts", False), ("break_condition", True),
                            ("break_condition", False)):
            setattr(port, name, value)
            assert getattr(port, name) == value
        assert port.cts and port.dsr and not port.ri and not port.cd
        port.reset_input_buffer()
        port.reset_output_buffer()
        assert ask(port, "AT").endswith(b"\r\nOK\r\n")


def test_octets_of_telnet_pass_both_ways(telnet):
    with serial.serial_for_url(telnet[2], timeout=0.05) as port:
        port.write(b"AT+\xff\xff\xf0\xfa\r")
        assert until(port, b"ERROR\r\n").startswith(b"AT+\xff\xff\xf0\xfa\r"), "the echo"


def test_a_purge_drops_what_waits(telnet):
    _, module, url = telnet
    number = int(url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", number), timeout=5) as sock:
        sock.sendall(b"\xff\xfb\x2c\xff\xfa\x2c\x08\xff\xf0ATE0\rAT\r")
        module.rest()
        sock.sendall(b"\xff\xfa\x2c\x0c\x01\xff\xf0\xff\xfa\x2c\x09\xff\xf0AT+CMEE?\r")
        data = b""
        while not data.endswith(b"OK\r\n"):
            data += sock.recv(4096)
    assert data == (b"\xff\xfd\x2c\xff\xfa\x2c\x6b\x33\xff\xf0" b"\xff\xfa\x2c\x70\x01\xff\xf0"
                    b"\r\n+CMEE: 0\r\n\r\nOK\r\n"), "suspended, purged, resumed"


def test_a_client_that_asks_and_never_reads_is_not_heard_and_harms_nobody(telnet):
    world, module, url = telnet
    number = int(url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", number), timeout=5) as sock:
        sock.setblocking(False)
        try:
            while True:
                sock.send(b"\xff\xfa\x2c\x00\xff\xf0" * 1000)
        except BlockingIOError:
            pass
        assert world.run(world.host(module)) == [2, 3]
        assert module.rss_bytes() < 200 << 20
    module.rest()
    with serial.serial_for_url(url, timeout=0.05) as port:
        assert ask(port, "AT").endswith(b"\r\nOK\r\n")


def test_plain_bytes_are_plain_without_rfc2217(mini):
    number = closed_port()
    mini.module("--tcp", f"127.0.0.1:{number}")
    with serial.serial_for_url(f"socket://127.0.0.1:{number}", timeout=0.05) as port:
        port.write(b"AT+\xff\xfb\r")
        assert until(port, b"ERROR\r\n").startswith(b"AT+\xff\xfb\r")


# ---- socat ----

@pytest.mark.parametrize("kind", ["pty", "unix", "abstract", "tcp"])
def test_socat_carries_a_session_of_each_kind(mini, tmp_path, kind):
    needs("socat")
    number, path = closed_port(), tmp_path / "socket"
    mini.publish()
    words = {"pty": [], "unix": ["--unix", str(path)], "abstract": ["--unix", f"abstract:{path}"],
             "tcp": ["--tcp", f"127.0.0.1:{number}"]}
    module = mini.module(*words[kind])
    peers = {"pty": f"{module.link},raw,echo=0", "unix": f"UNIX-CONNECT:{path}", "tcp": f"TCP:127.0.0.1:{number}",
             "abstract": f"ABSTRACT-CONNECT:{path}"}
    line = tmp_path / "line"
    socat = subprocess.Popen(["socat", f"PTY,link={line},raw,echo=0", peers[kind]])
    try:
        wait_for(line.exists, "terminal of socat")
        with serial.Serial(str(line), timeout=0.05) as port:
            ask(port, "ATE0;+CAPFOTA=1")
            ask(port, mini.command())
            until(port, b"+CSCFOTA: 3\r\n")
    finally:
        socat.kill()
        socat.wait()
    assert mini.slot_holds(module, mini.image)


def test_a_unix_socket_is_removed_and_one_left_over_replaced(mini, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    module = mini.module("--unix", str(path))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b"AT\r")
        assert sock.recv(3) == b"AT\r"
    assert module.sigterm() == 0
    assert not path.exists()


def test_a_unix_socket_in_use_and_a_file_are_left_alone(mini, tmp_path):
    taken, file = tmp_path / "taken", tmp_path / "file"
    mini.module("--unix", str(taken))
    file.write_text("mine")
    for path in (taken, file):
        done = subprocess.run([str(mini.program), "--unix", str(path), "--state", str(tmp_path / "other")],
                              capture_output=True, text=True, timeout=10)
        assert done.returncode == 1 and "cannot listen" in done.stderr, done.stderr
    assert file.read_text() == "mine" and taken.exists()


# ---- npm ----

@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """A folder with serialport installed, as the lock file has it."""
    needs("node", "npm")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json", "upgrade.js"):
        shutil.copy(NPM / name, folder / name)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                          capture_output=True, text=True, timeout=50)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        pytest.skip(f"npm cannot install serialport: {reason}")
    return folder


def test_serialport_of_npm_upgrades_a_module(mini, node):
    module, host = mini.ready()
    host.close()
    done = subprocess.run(["node", "upgrade.js", str(module.link), "ATE0", "AT+CAPFOTA=1", mini.command()], cwd=node,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2:] == ["+CSCFOTA: 2", "+CSCFOTA: 3"]
    assert mini.slot_holds(module, mini.image)
