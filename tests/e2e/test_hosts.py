# SPDX-License-Identifier: Apache-2.0
"""Real programs that talk to modems, as Debian ships them."""

import json
import os
import select
import socket
import subprocess
import termios
import time
import tty

import pytest

from lib.links import closed_port
from lib.module import IDENTITY, QUICK
from lib.programs import needs, wait_for
from lib.world import TARGET, image


def chat_word(text):
    return "'" + text.replace("\\", "\\\\") + "'"


@pytest.mark.release
def test_chat_upgrades_a_module(world):
    """The script that reference hosts use: identity, service on, command, both codes."""
    needs("chat")
    module, _ = world.ready()
    words = ["ABORT", "ERROR", "TIMEOUT", "10", "''", "ATZ", "OK", "ATE0V1", "OK", "AT+CGMR", "OK", "AT+CAPFOTA=1",
             "OK", chat_word(world.command()), "OK", "'\\c'", chat_word("+CSCFOTA: 2"), "'\\c'",
             chat_word("+CSCFOTA: 3"), "'\\c'"]
    script = world.folder / "script"
    script.write_text(" ".join(words) + "\n")
    with open(os.open(module.link, os.O_RDWR | os.O_NOCTTY), "r+b", buffering=0) as line:
        done = subprocess.run(["chat", "-v", "-s", "-S", "-f", str(script)], stdin=line, stdout=line,
                              stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert world.slot_holds(module, world.image)


def test_picocom_shows_a_session(world):
    needs("picocom")
    module, host = world.ready()
    host.close()
    master, slave = os.openpty()
    picocom = subprocess.Popen(["picocom", "--quiet", "--noreset", "--exit-after", "5000",
                                str(module.link)], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        wait_for(lambda: not termios.tcgetattr(master)[3] & termios.ICANON, "raw terminal", pause_s=0.01)
        for line in ("AT+CAPFOTA=1", world.command()):
            os.write(master, line.encode() + b"\r")
            read_until(master, b"\r\nOK\r\n")
        shown = read_until(master, b"+CSCFOTA: 3")
        assert b"+CSCFOTA: 2" in shown and b"+CSCFOTA: 3" in shown, shown
        assert picocom.wait(30) == 0
    finally:
        picocom.kill()
        picocom.wait()
        os.close(master)


def read_until(fd, wanted, limit_s=10):
    data = b""
    end = time.monotonic() + limit_s
    while wanted not in data and time.monotonic() < end:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            more = os.read(fd, 4096)
        except OSError:  # the other end of a PTY is closed
            break
        if not more:
            break
        data += more
    return data


def test_curl_makes_a_product_that_a_module_upgrades_to(world, cloud):
    """The administrator's side by curl alone, with the token in a file as curl wants it."""
    needs("curl")
    header = world.folder / "header"
    header.write_text(f"Authorization: Bearer {cloud.token}\n")

    def call(method, path, *words):
        done = subprocess.run(["curl", "-sS", "--fail-with-body", "-X", method, "-H", f"@{header}", *words,
                               f"{cloud.url}/api/v1{path}"], capture_output=True, timeout=20)
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout)

    p = world.platform
    made = call("POST", "/versions", "--json", json.dumps({"product": p.product, "name": TARGET}))
    package = world.folder / "package"
    package.write_bytes(image(100_000))
    manifest = world.folder / "package.suit"
    manifest.write_bytes(p.sign(TARGET, package.read_bytes()))
    call("PUT", f"/versions/{made['id']}/manifest", "-H", "Content-Type: application/suit-envelope+cose", "-T",
         str(manifest))
    call("PUT", f"/versions/{made['id']}/package", "-T", str(package))
    assert call("POST", f"/versions/{made['id']}/publish", "--json", "{}")["state"] == "published"
    module = world.module()
    assert world.run(world.host(module)) == [2, 3]
    assert world.slot_holds(module, package.read_bytes())
    devices = call("GET", f"/devices?product={p.product}")["items"]
    assert [(device["device"], device["target"]) for device in devices] == [("860000000000019", TARGET)]


def test_socat_drives_a_module_over_tcp(world):
    needs("socat")
    port = closed_port()
    world.ready("--tcp", f"127.0.0.1:{port}")
    socat = subprocess.Popen(["socat", "-", f"TCP:127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for line in ("ATE0", "AT+CAPFOTA=1", world.command()):
            socat.stdin.write(line.encode() + b"\r")
            socat.stdin.flush()
            time.sleep(0.1)
        shown = read_until(socat.stdout.fileno(), b"+CSCFOTA: 3")
        assert shown.count(b"OK") == 3 and b"+CSCFOTA: 3" in shown, shown
    finally:
        socat.kill()
        socat.wait()


def test_a_serial_device_is_a_port_too(world):
    """A PTY of ours in the place of the device; the module is at its slave."""
    world.publish()
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        world.module("--tty", f"{os.ttyname(slave)},9600", ports=0)
        os.write(master, f"ATE0\rAT+CAPFOTA=1\r{world.command()}\r".encode())
        shown = read_until(master, b"+CSCFOTA: 3")
        assert shown.count(b"OK") == 3 and b"+CSCFOTA: 2" in shown, shown
    finally:
        os.close(master)
        os.close(slave)


def test_a_second_tcp_client_and_a_broken_one_do_no_harm(world):
    port = closed_port()
    _, host = world.ready("--tcp", f"127.0.0.1:{port}")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(b"AT+CSCF")
    assert answers_at(port)
    assert world.run(host) == [2, 3]


def answers_at(port, limit_s=10):
    """Whether a new connection is served. While the one before it is still open to the
    module it is turned away: one host at a time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(b"AT\r")
            if b"OK" in read_until(sock.fileno(), b"OK", 1):
                return True
    return False


def test_a_second_host_is_turned_away_and_the_first_stays(world):
    port = closed_port()
    world.ready("--tcp", f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as first:
        first.sendall(b"AT\r")
        assert b"OK" in read_until(first.fileno(), b"OK")
        with socket.create_connection(("127.0.0.1", port), timeout=5) as second:
            second.settimeout(5)
            assert second.recv(100) == b""
        first.sendall(b"AT\r")
        assert b"OK" in read_until(first.fileno(), b"OK")


def test_stdio_is_a_port_too(world):
    world.publish()
    trust = world.folder / "trust.pem"
    trust.write_bytes(world.platform.keys[0].pem)
    module = subprocess.Popen([str(world.program), "--stdio", "--state", str(world.folder / "state"), "--server",
                               world.net.url, "--allow-http", "--trust", str(trust), *IDENTITY, *QUICK],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        module.stdin.write(f"ATE0\rAT+CAPFOTA=1\r{world.command()}\r".encode())
        module.stdin.flush()
        shown = read_until(module.stdout.fileno(), b"+CSCFOTA: 3")
        assert b"+CSCFOTA: 2\r\n\r\n+CSCFOTA: 3" in shown, shown
        module.stdin.close()
        assert module.wait(10) == 0, "the end of its input ends the program"
    finally:
        module.kill()
        module.wait()
