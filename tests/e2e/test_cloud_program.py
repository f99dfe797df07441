# SPDX-License-Identifier: Apache-2.0
"""atfota-cloud as a program: options, TLS, data directory, signals, and its description of the API."""

import fcntl
import os
import pty
import re
import signal
import socket
import ssl
import stat
import subprocess
import termios
import time
import urllib.parse
from pathlib import Path

import pytest
import yaml

from lib.cloud import Cloud
from lib.tls import Authority

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 20


@pytest.fixture
def program(build):
    return build / "cloud/atfota-cloud"


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=LIMIT_S)


def test_help_and_version_end_well(program):
    assert run(program, "--version").stdout.startswith("atfota-cloud ")
    text = run(program, "--help").stdout
    for option in ("--data", "--listen", "--tls-cert", "--tls-key", "--allow-http", "--config", "--log-level"):
        assert option in text


@pytest.mark.parametrize("words,hint", [
    ([], "--data"), (["--data", "X"], "--allow-http"), (["--data", "X", "--tls-cert", "c"], "--tls-key"),
    (["--data", "X", "--allow-http", "--log-level", "loud"], "log-level"),
    (["--data", "X", "--allow-http", "--link-lifetime", "0"], "link-lifetime"),
    (["--data", "X", "--allow-http", "--public-url", "cdn.example"], "public-url"),
    (["--data", "X", "--allow-http", "--public-url", "https://cdn.example/"], "public-url"),
    (["--data", "X", "--allow-http", "--public-url", "https://" + "x" * 93], "public-url"),
    (["--data", "X", "--allow-http", "extra"], "extra"), (["--nonsense"], "nonsense"),
    (["--data", "X", "--allow-http", "--config", "/nonexistent/file"], "/nonexistent/file")])
def test_wrong_usage_says_what_to_do(program, tmp_path, words, hint):
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=LIMIT_S, cwd=tmp_path)
    assert done.returncode == 64 and hint in done.stderr and not done.stdout, done
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1", "127.0.0.1:x", "::1:8080", "127.0.0.1:99999", ":80"])
def test_a_wrong_address_is_named(program, tmp_path, listen):
    done = run(program, "--data", tmp_path / "d", "--allow-http", "--listen", listen)
    assert done.returncode == 1 and listen in done.stderr


def test_a_busy_port_is_named(program, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        where = f"127.0.0.1:{busy.getsockname()[1]}"
        done = run(program, "--data", tmp_path / "d", "--allow-http", "--listen", where)
    assert done.returncode == 1 and where in done.stderr and "in use" in done.stderr


def test_settings_come_from_a_file_and_the_command_line_wins(program, tmp_path):
    config = tmp_path / "config"
    config.write_text(f"# settings\n[platform]\ndata = {tmp_path}/wrong\nallow-http = yes\n"
                      "link-lifetime=7\n  log-level = debug  \n")
    with Cloud(program, tmp_path / "c", "--config", config, tls=True) as cloud:
        assert cloud.request("GET", "/healthz").status == 200
        assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize("line,hint", [("nonsense = 1", "line 2"), ("data", "line 2"), ("link-lifetime = x", "line 2"),
                                       ("allow-http = perhaps", "yes or no"), ("config = x", "line 2")])
def test_a_wrong_line_of_the_file_is_named(program, tmp_path, line, hint):
    config = tmp_path / "config"
    config.write_text("# settings\n" + line + "\n")
    done = run(program, "--config", config, "--data", tmp_path / "d")
    assert done.returncode == 64 and hint in done.stderr, done


def test_data_is_for_its_owner_only(program, tmp_path):
    old = os.umask(0)
    try:
        with Cloud(program, tmp_path) as cloud:
            cloud.everything()
            for path in [cloud.data, *cloud.data.rglob("*")]:
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
            assert stat.S_IMODE((cloud.data / "admin-token").stat().st_mode) == 0o600
    finally:
        os.umask(old)


def lines_on_a_terminal(program, data):
    """What it prints until it listens, when a person has started it."""
    master, slave = pty.openpty()
    process = subprocess.Popen([program, "--data", data, "--allow-http", "--listen", "127.0.0.1:0"], stdout=slave,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    os.close(slave)
    said = b""
    while b"listening on" not in said:
        said += os.read(master, 1000)
    process.terminate()
    assert process.wait(LIMIT_S) == 0
    os.close(master)
    return said.decode()


def test_the_first_token_is_shown_once_and_to_a_person_only(program, tmp_path):
    shown = lines_on_a_terminal(program, tmp_path / "data")
    token = (tmp_path / "data/admin-token").read_text().strip()
    assert token in shown
    assert token not in lines_on_a_terminal(program, tmp_path / "data")
    cloud = Cloud(program, tmp_path)
    with cloud:
        assert not [line for line in cloud.first_lines if "admin token" in line]
        assert cloud.token == token and cloud.request("GET", "oems").status == 200
    other = Cloud(program, tmp_path / "other")
    with other:
        assert other.first_lines[0].endswith(f"{other.data}/admin-token")
        assert not [line for line in other.first_lines if other.token in line]
        assert other.request("GET", "oems").status == 200
    assert token not in cloud.log() and other.token not in other.log()


def said_on_a_terminal(program, *words):
    """(Exit status, what it prints) of a start that fails, begun by a person."""
    master, slave = pty.openpty()
    done = subprocess.run([program, *words], stdout=slave, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=LIMIT_S)
    os.write(slave, b"end")  # so that a read ends
    os.close(slave)
    said = os.read(master, 10_000).decode()
    os.close(master)
    return done.returncode, said.removesuffix("end")


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        yield busy.getsockname()[1]


def no_database(data):
    (data / "atfota.db").write_bytes(b"this is no database" * 1000)


def closed_tokens(data):
    (data / "admin-token").mkdir()  # also root cannot write here


BAD_STARTS = {
    "certificate": (["--tls-cert", "{folder}/none.pem", "--tls-key", "{folder}/good.pem"], None),
    "key": (["--tls-cert", "{folder}/good.pem", "--tls-key", "{folder}/none.pem"], None),
    "address": (["--allow-http", "--listen", "192.0.2.1:1"], None),
    "port": (["--allow-http", "--listen", "127.0.0.1:{port}"], None),
    "database": (["--allow-http", "--listen", "127.0.0.1:0"], no_database),
    "token file": (["--allow-http", "--listen", "127.0.0.1:0"], closed_tokens),
}


@pytest.mark.parametrize("what", BAD_STARTS)
def test_a_start_that_fails_shows_no_token_and_the_next_one_does(program, tmp_path, certificate, busy_port, what):
    words, spoil = BAD_STARTS[what]
    data = tmp_path / "data"
    data.mkdir()
    if spoil:
        spoil(data)
    words = [word.format(folder=tmp_path, port=busy_port) for word in words]
    assert said_on_a_terminal(program, "--data", data, *words) == (1, "")
    assert not (data / "admin-token").is_file()
    for path in data.iterdir():
        if path.name in ("atfota.db", "admin-token") and spoil:
            path.rmdir() if path.is_dir() else path.unlink()
    shown = lines_on_a_terminal(program, data)
    assert (data / "admin-token").read_text().strip() in shown


def manual_command(section, word):
    """The line of a section of the manual page that has this word in it, as one types it."""
    page = (ROOT / "docs/atfota-cloud.8").read_text()
    text = page[page.index(f".SH {section}"):]
    line = next(line for line in text.splitlines() if word in line and not line.startswith(".SH"))
    return line.removeprefix(".B ").replace("\\-", "-").replace("\\(dq", '"').replace("\\(aq", "'")


def test_who_has_lost_every_token_gets_a_new_first_one(program, tmp_path):
    with Cloud(program, tmp_path) as cloud:
        old = cloud.token
        (cloud.data / "admin-token").unlink()
    command = manual_command("ACCESS TOKENS", "DELETE")
    assert command.startswith("sqlite3 DIR/atfota.db"), command
    subprocess.run(["bash", "-e", "-c", command.replace("DIR", str(cloud.data))], check=True, timeout=LIMIT_S)
    with cloud:
        assert cloud.first_lines[0].endswith("/admin-token") and cloud.token != old
        assert cloud.request("GET", "oems").status == 200
        assert cloud.request("GET", "oems", token=old).status == 401


def test_a_second_process_on_the_same_data_is_refused(program, tmp_path):
    with Cloud(program, tmp_path) as cloud:
        done = run(program, "--data", cloud.data, "--allow-http", "--listen", "127.0.0.1:0")
        assert done.returncode == 1 and "another atfota-cloud runs on it" in done.stderr
        assert cloud.request("GET", "/healthz").status == 200


def test_a_data_directory_that_cannot_be_made_is_named(program, tmp_path):
    done = run(program, "--data", tmp_path / "a/b", "--allow-http")
    assert done.returncode == 1 and str(tmp_path / "a/b") in done.stderr


def test_a_database_that_is_none_is_named(program, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/atfota.db").write_bytes(b"this is no database" * 1000)
    done = run(program, "--data", tmp_path / "d", "--allow-http")
    assert done.returncode == 1 and "not a database" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(program, tmp_path, number):
    cloud = Cloud(program, tmp_path).start()
    connection = cloud.connect()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    cloud.process.send_signal(number)
    assert cloud.process.wait(LIMIT_S) == 0
    cloud.process = None
    assert not list(cloud.data.glob("atfota.db-wal")), "the log of the database was not closed"


def test_a_terminal_that_goes_ends_it(program, tmp_path):
    master, slave = pty.openpty()
    process = subprocess.Popen([program, "--data", tmp_path / "data", "--allow-http", "--listen", "127.0.0.1:0"],
                               stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    said = b""
    while b"listening on" not in said:
        said += os.read(master, 1000)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None, "the terminal was there"
    os.close(master)
    assert process.wait(LIMIT_S) == 0


def test_a_signal_during_downloads_and_uploads_ends_it(program, tmp_path):
    with Cloud(program, tmp_path) as cloud:
        product, _, _ = cloud.everything(8 << 20)
        draft = product.draft("V3")
        cloud.sign(draft["id"], bytes(9_000_000))
        place = urllib.parse.urlsplit(cloud.url)
        socks = [socket.create_connection((place.hostname, place.port)) for _ in range(20)]
        for sock in socks:
            sock.sendall(f"PUT /api/v1/versions/{draft['id']}/package HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
                         f"Authorization: Bearer {cloud.token}\r\n\r\n".encode() + b"x" * 300_000)
        time.sleep(0.2)
        begun = time.monotonic()
        cloud.stop()
        assert time.monotonic() - begun < LIMIT_S
        for sock in socks:
            sock.close()


@pytest.fixture
def certificate(tmp_path):
    authority = Authority(tmp_path)
    authority.server()
    return authority


def test_tls_is_served(program, tmp_path, certificate):
    pem = tmp_path / "good.pem"
    with Cloud(program, tmp_path / "c", "--tls-cert", pem, "--tls-key", pem, tls=True) as cloud:
        assert cloud.url.startswith("https://127.0.0.1:")
        place = urllib.parse.urlsplit(cloud.url)
        context = ssl.create_default_context(cafile=certificate.path)
        with socket.create_connection((place.hostname, place.port)) as sock:
            with context.wrap_socket(sock, server_hostname="127.0.0.1") as tls:
                assert tls.version() in ("TLSv1.2", "TLSv1.3")
                tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert tls.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_package_goes_whole_and_in_ranges_over_tls(program, tmp_path, certificate, monkeypatch):
    pem = tmp_path / "good.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    from lib.device import Device
    with Cloud(program, tmp_path / "c", "--tls-cert", pem, "--tls-key", pem, tls=True) as cloud:
        from lib.product import Product, call
        product = Product(cloud, "SIMCOM", "7600M21")
        data = os.urandom(1_000_000)
        product.publish("V2", data)
        assert call(cloud, "GET", "/versions")["items"]
        device = Device(cloud.url, product.product, product.secret, product.oem, product.model)
        url = device.check("V2")[1]["url"]
        assert device.get(url)[2] == data and device.get(url)[2] == data
        status, headers, body = device.get(url, Range="bytes=123456-")
        assert (status, body) == (206, data[123456:])
        assert headers["Content-Range"] == "bytes 123456-999999/1000000"


def test_a_bad_certificate_is_named(program, tmp_path, certificate):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "junk").write_bytes(b"junk")
    for path in ("empty", "junk", "nothing"):
        done = run(program, "--data", tmp_path / "d", "--listen", "127.0.0.1:0", "--tls-cert", tmp_path / path,
                   "--tls-key", tmp_path / "good.pem")
        assert done.returncode == 1 and ("PEM" in done.stderr or str(tmp_path / path) in done.stderr), done


def test_a_slow_client_does_not_hold_up_others(program, tmp_path):
    with Cloud(program, tmp_path) as cloud:
        place = urllib.parse.urlsplit(cloud.url)
        socks = [socket.create_connection((place.hostname, place.port)) for _ in range(200)]
        for sock in socks:
            sock.sendall(b"POST /device/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        begun = time.monotonic()
        assert cloud.request("GET", "/healthz").status == 200
        assert time.monotonic() - begun < LIMIT_S, "as long as an idle connection stays"
        for sock in socks:
            sock.close()



def description():
    return yaml.safe_load((ROOT / "docs/admin-api.yaml").read_text())


def described_calls():
    """((method, path), description) of docs/admin-api.yaml."""
    for path, calls in description()["paths"].items():
        for method, call in calls.items():
            yield (method.upper(), re.sub(r"{\w+}", "{}", path)), call


def references(part):
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        yield part["$ref"]
    for value in values:
        yield from references(value)


def test_the_description_refers_to_nothing_that_is_not_there():
    whole = description()
    found = set(references(whole))
    assert len(found) > 20
    for reference in found:
        part = whole
        for word in reference.removeprefix("#/").split("/"):
            part = part[word]


def test_every_call_is_described_with_its_refusals():
    for (method, path), call in described_calls():
        if path == "/healthz":
            continue
        needed = {"401", "503"} | ({"404"} if "{}" in path else set()) | ({"507"} if method != "GET" else set())
        needed |= {"400", "413", "422"} if "json" in str(call.get("requestBody")) else set()
        assert needed <= set(call["responses"]), (method, path)


def test_every_call_is_described():
    """The routing table and the description have the same calls."""
    text = (ROOT / "cloud/routes.c").read_text()
    methods = {"READ": "GET", "DEVICES": "GET", "CREATE": "POST", "ACT": "POST", "DELETE": "DELETE"}
    table = {(methods[kind], path) for kind, path in re.findall(r"\t(READ|DEVICES|CREATE|ACT|DELETE)\(\"(\S+)\"", text)}
    table |= set(re.findall(r"\t(?:ADMIN|STREAM)\(\"(\w+)\", \"(\S+)\"", text))
    table = {(method, "/api/v1" + path) for method, path in table} | {("GET", "/healthz")}
    assert len(table) > 35
    assert {call for call, _ in described_calls()} == table
