# SPDX-License-Identifier: Apache-2.0
"""TLS of the three programs: what they accept, what they refuse, and what they say then."""

import re
import signal
import socket
import ssl
import subprocess
import threading
import urllib.parse
from pathlib import Path

import pytest

from lib import tls
from lib.cloud import Cloud
from lib.product import Product
from lib.tool import Tool
from lib.world import MIB, MODEL, OEM, World, finish

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 20


@pytest.fixture
def authority(tmp_path):
    return tls.Authority(tmp_path)


@pytest.fixture
def program(build):
    return build / "cloud/atfota-cloud"


@pytest.fixture
def secure(tmp_path, program, authority, atfotad, seen_codes, request, monkeypatch):
    """A world whose platform speaks TLS alone; and its authority's certificate."""
    chain, key = authority.files()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # for the administrator's calls
    with Cloud(program, tmp_path / "cloud", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        world = World(tmp_path, atfotad, seen_codes, Product(cloud, OEM, MODEL))
        yield world, cloud.url, str(authority.path)
        finish(world, request)


@pytest.mark.release
def test_an_upgrade_over_tls(secure):
    world, url, ca = secure
    data = world.publish(3 * MIB)
    module = world.module("--ca", ca, server=url)
    host = world.host(module)
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, data)


def test_a_platform_that_the_module_does_not_know_is_not_asked(secure, tmp_path):
    world, url, _ = secure
    other = tmp_path / "other"
    other.mkdir()
    world.publish()
    host = world.host(world.module("--ca", str(tls.Authority(other).path), server=url))
    assert world.run(host) == [503]


# The platform's files.

def refused(program, folder, chain, key):
    done = subprocess.run([program, "--data", folder / "d", "--listen", "127.0.0.1:0", "--tls-cert", chain,
                           "--tls-key", key], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 1 and "listening" not in done.stdout, done
    return done.stderr


def test_a_key_of_another_certificate_is_refused(program, tmp_path, authority):
    chain, _ = authority.files("good")
    _, key = authority.files("wrong-name")
    said = refused(program, tmp_path, chain, key)
    assert str(key) in said and str(chain) in said and "does not belong to" in said


def test_an_issuer_before_the_servers_own_certificate_is_refused(program, tmp_path, authority):
    chain, key = authority.files()
    chain.write_bytes(authority.path.read_bytes() + chain.read_bytes())
    assert "own certificate before those of its issuers" in refused(program, tmp_path, chain, key)


def test_a_key_with_a_passphrase_is_refused(program, tmp_path, authority):
    chain, key = authority.files()
    closed = tmp_path / "closed.key"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", closed], check=True)
    assert "passphrase" in refused(program, tmp_path, chain, closed)


def test_files_that_are_mixed_up_are_named(program, tmp_path, authority):
    chain, key = authority.files()
    said = refused(program, tmp_path, key, chain)
    assert str(key) in said and "BEGIN CERTIFICATE" in said and "BEGIN PRIVATE KEY" not in said
    said = refused(program, tmp_path, chain, chain)
    assert str(chain) in said and "BEGIN PRIVATE KEY" in said
    assert "Is a directory" in refused(program, tmp_path, chain, tmp_path)


def log_of_start(program, folder, chain, key, **env):
    cloud = Cloud(program, folder, "--tls-cert", chain, "--tls-key", key, tls=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, str(value))
        with cloud:
            pass
    return cloud.log()


@pytest.mark.parametrize("kind,word", [("good", None), ("expired", "expired on"), ("expiring", "expires on"),
                                       ("early", "not valid yet")])
def test_a_certificate_out_of_date_is_told_at_the_start(program, tmp_path, authority, kind, word):
    log = log_of_start(program, tmp_path / "c", *authority.files(kind))
    warned = [line for line in log.splitlines() if " warn " in line]
    assert [word in line and f"{kind}.crt" in line for line in warned] == ([True] if word else []), log


def test_a_key_that_others_can_read_is_told(program, tmp_path, authority):
    chain, key = authority.files()
    for mode, is_told in ((0o600, False), (0o400, False), (0o640, True), (0o604, True)):
        key.chmod(mode)
        log = log_of_start(program, tmp_path / "c", chain, key)
        assert (f"chmod 600" in log and f"(mode {mode:03o})" in log) == is_told, (oct(mode), log)
    # What the service manager hands over is closed by its directory, whatever the mode says.
    (tmp_path / "c/cloud.log").unlink()
    assert "chmod" not in log_of_start(program, tmp_path / "c", chain, key, CREDENTIALS_DIRECTORY=tmp_path)
    (tmp_path / "c/cloud.log").unlink()
    assert "chmod" in log_of_start(program, tmp_path / "c", chain, key, CREDENTIALS_DIRECTORY=f"{tmp_path}/x")


def test_plain_http_for_everybody_is_told(program, tmp_path):
    with Cloud(program, tmp_path / "a") as cloud:
        pass
    assert "no TLS" not in cloud.log()
    with Cloud(program, tmp_path / "b", "--listen", "0.0.0.0:0") as cloud:
        pass
    assert "no TLS on 0.0.0.0" in cloud.log()


def manual_commands():
    """The commands of the manual page that make an authority and a certificate."""
    page = (ROOT / "docs/atfota-cloud.8").read_text()
    text = page[page.index(".SH CERTIFICATES"):]
    text = text[text.index(".EX") + 3:text.index(".EE")]
    return text.replace("\\e\n", "").replace("\\-", "-").replace("\\(aq", "'")


def test_the_certificate_of_the_manual_serves(program, build, tmp_path):
    commands = manual_commands().replace("fota.example.com", "localhost")
    assert commands.count("openssl req") == 2
    done = subprocess.run(["bash", "-e", "-c", commands], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done
    assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("*key.pem")} == {
        "ca-key.pem": 0, "key.pem": 0}
    with Cloud(program, tmp_path / "c", "--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem",
               tls=True) as cloud:
        url = cloud.url.replace("127.0.0.1", "localhost")
        tool = Tool(build / "tool/atfota", tmp_path)
        tool.ok("login", "--server", url, "--ca", tmp_path / "ca.pem", "--token-file", cloud.data / "admin-token")
        assert tool.ok("oem", "list", "--json").json["items"] == []  # the login keeps the authority
    assert " warn " not in cloud.log(), cloud.log()


# A certificate that is renewed.

class Client:
    """A connection that is kept, and what the server showed on it."""

    def __init__(self, url, ca):
        place = urllib.parse.urlsplit(url)
        sock = socket.create_connection((place.hostname, place.port), timeout=LIMIT_S)
        self.sock = ssl.create_default_context(cafile=ca).wrap_socket(sock, server_hostname="127.0.0.1")
        self.certificate = self.sock.getpeercert(binary_form=True)

    def asks(self):
        self.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):  # head and body may come apart
            more = self.sock.recv(1000)
            if not more:
                return False
            answer += more
        return answer.startswith(b"HTTP/1.1 200")


def reload(cloud, words):
    count = cloud.log().count(words)
    cloud.process.send_signal(signal.SIGHUP)
    cloud.wait_log(words, count + 1)


def renew(authority, chain, key):
    """A new certificate with a new key, in the same files."""
    for path, fresh in zip((chain, key), authority.files("good")):
        path.write_bytes(fresh.read_bytes())


@pytest.fixture
def renewable(program, tmp_path, authority):
    """(A platform, a function that renews its certificate, its files)."""
    chain, key = tmp_path / "served.crt", tmp_path / "served.key"
    key.touch(0o600)
    renew(authority, chain, key)
    with Cloud(program, tmp_path / "cloud", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        yield cloud, lambda: renew(authority, chain, key), (chain, key)


NEW, KEPT = "new connections get the certificate", "the certificate from before stays"


def test_a_renewed_certificate_is_shown_after_a_reload(renewable, authority):
    cloud, renew_files, _ = renewable
    old = Client(cloud.url, authority.path)
    renew_files()
    assert Client(cloud.url, authority.path).certificate == old.certificate, "nobody has asked for it yet"
    reload(cloud, NEW)
    new = Client(cloud.url, authority.path)
    assert new.certificate != old.certificate
    assert old.asks() and new.asks(), "a connection was cut"


def test_a_reload_with_bad_files_keeps_what_is_good(renewable, authority):
    cloud, renew_files, (chain, key) = renewable
    old = Client(cloud.url, authority.path)
    for path, text, word in ((key, b"", "empty"), (chain, b"junk", "BEGIN CERTIFICATE"), (key, None, "cannot read")):
        good = path.read_bytes()
        path.unlink() if text is None else path.write_bytes(text)
        reload(cloud, KEPT)
        assert word in cloud.log() and str(path) in cloud.log()
        assert Client(cloud.url, authority.path).certificate == old.certificate and old.asks()
        path.write_bytes(good)
    renew_files()
    reload(cloud, NEW)
    assert Client(cloud.url, authority.path).certificate != old.certificate


def test_a_transfer_goes_on_over_reloads(renewable, authority, tmp_path, monkeypatch):
    cloud, renew_files, _ = renewable
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    product = Product(cloud, OEM, MODEL)
    data = bytes(range(256)) * (20 * MIB // 256)
    draft = product.draft("V2")
    cloud.sign(draft["id"], data)
    client = Client(cloud.url, authority.path)
    client.sock.sendall(f"PUT /api/v1/versions/{draft['id']}/package HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}"
                        f"\r\nAuthorization: Bearer {cloud.token}\r\n\r\n".encode())
    for begin in range(0, len(data), 5 * MIB):
        client.sock.sendall(data[begin:begin + 5 * MIB])
        renew_files()
        reload(cloud, NEW)
    assert client.sock.recv(1000).startswith(b"HTTP/1.1 200")


def test_many_reloads_among_many_connections_lose_none(renewable, authority):
    cloud, renew_files, _ = renewable
    failures, is_over = [], threading.Event()

    def knock():
        while not is_over.is_set():
            try:
                if not Client(cloud.url, authority.path).asks():
                    failures.append("no answer")
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        renew_files()
        reload(cloud, NEW)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_without_tls_a_reload_is_no_end(program, tmp_path):
    with Cloud(program, tmp_path) as cloud:
        reload(cloud, "there is no certificate to read again")
        assert cloud.request("GET", "/healthz").status == 200


# What the platform speaks.

def handshake(url, context):
    """(version, cipher) of a connection, or the error that ended it."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = urllib.parse.urlsplit(url)
    try:
        with socket.create_connection((place.hostname, place.port), timeout=5) as sock:
            with context.wrap_socket(sock) as secured:
                return secured.version(), secured.cipher()[0]
    except OSError as error:
        return error


def with_ciphers(names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(names)
    return context


class OldServer:
    """Speaks TLS 1.1 at most: shows that the client of these tests does."""

    def __init__(self, context):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.sock.getsockname()[1]}"
        self.context = context
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        sock, _ = self.sock.accept()
        self.context.wrap_socket(sock, server_side=True).close()
        self.sock.close()


def test_the_platform_speaks_tls_1_2_and_1_3_alone(program, tmp_path, authority):
    def client():
        return tls.only_old(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    assert handshake(OldServer(authority.server("old")).url, client())[0] == "TLSv1.1"
    chain, key = authority.files()
    with Cloud(program, tmp_path / "c", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        assert isinstance(handshake(cloud.url, client()), OSError)
        assert handshake(cloud.url, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))[0] == "TLSv1.3"
        assert handshake(cloud.url, with_ciphers("DEFAULT"))[0] == "TLSv1.2"


def test_each_connection_has_a_key_of_its_own(program, tmp_path):
    """A key that is stolen later opens no recording: no key exchange by RSA."""
    key, chain = tmp_path / "rsa.key", tmp_path / "rsa.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=x",
                    "-keyout", key, "-out", chain], check=True, capture_output=True)
    with Cloud(program, tmp_path / "c", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        assert handshake(cloud.url, with_ciphers("ECDHE-RSA-AES128-GCM-SHA256"))[0] == "TLSv1.2"
        assert isinstance(handshake(cloud.url, with_ciphers("AES128-GCM-SHA256")), OSError)


def test_http_on_the_tls_port_gets_nothing(program, tmp_path, authority):
    chain, key = authority.files()
    with Cloud(program, tmp_path / "c", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        place = urllib.parse.urlsplit(cloud.url)
        with socket.create_connection((place.hostname, place.port), timeout=5) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                assert b"200" not in sock.recv(1000)
            except ConnectionError:
                pass


# What module and tool say. Each row: the server, and what the log or the message has in it.

ISSUER = "if it is your own authority, give its certificate with --ca FILE"
BAD_SERVERS = [("wrong-name", ["does not|no alternative", "by a name that is in its certificate"]),
               ("expired", ["has expired", "renew it at the server"]),
               ("early", ["not yet valid", "set the clock"]),
               ("self-signed", ["self-signed", ISSUER]),
               ("unknown", ["issuer", ISSUER]),
               ("renewed", ["whose issuer is trusted here .--ca FILE."])]


def bad_server(mini, tmp_path, kind):
    """(A server, the authority's certificate for its client)."""
    mine, other = tls.Authority(tmp_path), tmp_path / "other"
    other.mkdir()
    if kind == "unknown":
        return mini.server(mine.server()), str(tls.Authority(other, "another CA").path)
    if kind == "renewed":  # the same name, another key
        return mini.server(mine.server()), str(tls.Authority(other).path)
    return mini.server(mine.server(kind)), str(mine.path)


@pytest.mark.parametrize("kind,words", BAD_SERVERS)
def test_the_module_tells_why_it_does_not_trust(mini, tmp_path, kind, words):
    server, ca = bad_server(mini, tmp_path, kind)
    module = mini.module("--ca", ca, server=server.url)
    assert mini.run(mini.host(module)) == [503]
    for word in words:
        assert re.search(word, module.log.read_text()), module.story()
    assert not server.entries()


@pytest.mark.parametrize("kind,words", BAD_SERVERS)
def test_the_tool_tells_why_it_does_not_trust(mini, build, tmp_path, kind, words):
    server, ca = bad_server(mini, tmp_path, kind)
    done = Tool(build / "tool/atfota", tmp_path)("oem", "list", "--server", server.url, "--ca", ca,
                                                 env={"ATFOTA_TOKEN": "secret-token"})
    assert done.status == 8 and "secret-token" not in done.text, done
    for word in words:
        assert re.search(word, done.err), done
    assert not server.entries()


def test_module_and_tool_speak_nothing_older_than_tls_1_2(mini, build, tmp_path):
    server, ca = bad_server(mini, tmp_path, "old")
    module = mini.module("--ca", ca, server=server.url)
    assert mini.run(mini.host(module)) == [503]
    assert "protocol version" in module.log.read_text() and "TLS 1.2 or later" in module.log.read_text()
    done = Tool(build / "tool/atfota", tmp_path)("oem", "list", "--server", server.url, "--ca", ca,
                                                 env={"ATFOTA_TOKEN": "t"})
    assert done.status == 8 and "TLS 1.2 or later" in done.err, done
    assert not server.entries()


def test_a_file_that_holds_no_authority_is_told_at_once(mini, build, atfotad, tmp_path):
    junk = tmp_path / "junk"
    junk.write_text("junk")
    for path, word in ((junk, "no certificate"), (tmp_path / "none", "cannot read")):
        done = subprocess.run([atfotad, "--stdio", "--state", tmp_path / "s", "--server", "https://127.0.0.1:9", "--ca",
                               path], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S)
        assert done.returncode == 1 and str(path) in done.stderr and word in done.stderr, done
        done = Tool(build / "tool/atfota", tmp_path)("oem", "list", "--server", mini.net.url.replace("http:", "https:"),
                                                     "--ca", path, env={"ATFOTA_TOKEN": "t"})
        assert done.status == 1 and str(path) in done.err, done


def test_plain_http_is_refused_unless_it_is_allowed(mini, build, tmp_path):
    module = mini.module(plain=False)
    assert mini.run(mini.host(module)) == [501]
    assert "give --allow-http" in module.log.read_text()
    done = Tool(build / "tool/atfota", tmp_path)("login", "--server", mini.net.url, env={"ATFOTA_TOKEN": "t"})
    assert done.status == 1 and "unencrypted" in done.err and "--allow-http" in done.err, done
    assert not mini.net.entries()
