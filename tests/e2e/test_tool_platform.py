# SPDX-License-Identifier: Apache-2.0
"""The tool's platform commands, against the real platform and against servers that misbehave."""

import http.server
import json
import os
import re
import signal
import stat
import threading
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from lib import suit
from lib.cutproxy import CutProxy
from lib.links import closed_port
from lib.module import Module
from lib.programs import wait_for
from lib.tls import Authority
from lib.tool import Tool
from lib.world import MIB, MODEL, image

SECRET = "f9bbb0d76f894da090b6b69253616561"


@pytest.fixture
def plain(build, tmp_path):
    """The tool without a login."""
    return Tool(build / "tool/atfota", tmp_path)


@pytest.fixture
def tool(plain, cloud):
    plain.ok("login", "--server", cloud.url, "--allow-http", env={"ATFOTA_TOKEN": cloud.token})
    return plain


@pytest.fixture
def oem(tool):
    """An OEM of this test alone, with a model."""
    name = f"OEM {uuid.uuid4().hex[:8]}"
    tool.ok("oem", "create", name)
    tool.ok("model", "create", MODEL, "--oem", name)
    return name


@pytest.fixture
def product(tool, oem):
    return tool.ok("product", "create", "--oem", oem, "--model", MODEL, "--json").json["id"]


def firmware(folder, size=100_000, seed=None):
    """A file that no other test has uploaded: the platform keeps equal packages once."""
    seed = uuid.uuid4().int if seed is None else seed
    path = folder / f"firmware-{seed}.bin"
    path.write_bytes(image(size, seed))
    return path


def manifest(cloud, product, name, file):
    """A manifest of this file as a version of the product, in a file of its own."""
    path = file.with_suffix(".suit")
    path.write_bytes(cloud.manifest(product, name, file.read_bytes()))
    return path


def signed(cloud, product, name, file):
    """The words that name a file and its manifest."""
    return ["--manifest", manifest(cloud, product, name, file), file]


class Server:
    """An HTTP server that gives every request to `answer(path) -> status, headers, body`."""

    def __init__(self, answer, context=None):
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                self.seen.append((handler.path, handler.headers.get("Authorization")))
                status, headers, body = answer(handler.path)
                handler.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body)

            do_POST = do_GET

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


EMPTY_LIST = b'{"items":[],"next":null}'


# Login.

def test_login_stores_a_token_that_the_platform_takes(plain, cloud):
    done = plain.ok("login", "--server", cloud.url + "/", "--allow-http", "--token-file", "-", input=cloud.token + "\n")
    path = plain.home / ".config/atfota/config"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert cloud.token in path.read_text() and cloud.token not in done.text
    assert plain.ok("oem", "list").err == ""


def test_login_stores_nothing_if_the_token_is_wrong(plain, cloud):
    done = plain("login", "--server", cloud.url, "--allow-http", env={"ATFOTA_TOKEN": "atfota_wrong"})
    assert done.status == 7 and "401" in done.err and "atfota_wrong" not in done.text, done
    assert not (plain.home / ".config").exists()


def test_login_keeps_plain_http_out_unless_told(plain, cloud):
    done = plain("login", "--server", cloud.url, env={"ATFOTA_TOKEN": cloud.token})
    assert done.status == 1 and "--allow-http" in done.err, done


def test_a_login_asks_without_echo(plain, cloud):
    said, status = at_terminal(plain, ["login", "--server", cloud.url, "--allow-http"], cloud.token.encode() + b"\r")
    assert status == 0 and cloud.token not in said and "token:" in said, said
    assert "stored in" in said


def test_ctrl_c_at_the_prompt_ends_it_and_brings_the_echo_back(plain, cloud):
    said, status = at_terminal(plain, ["login", "--server", cloud.url, "--allow-http"], b"abc\x03")
    assert status == 6 and "abc" not in said, said


def at_terminal(tool, words, keys):
    """Runs with a terminal of its own and types `keys` at the prompt; (all that was shown, status)."""
    import fcntl
    import termios
    master, slave = os.openpty()

    def take_terminal():
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = tool.start(*words, stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal)
    said = b""
    while b": " not in said:
        said += os.read(master, 1000)
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    os.write(master, keys)
    status = process.wait(20)
    assert termios.tcgetattr(slave)[3] & termios.ECHO
    os.set_blocking(master, False)
    try:
        while True:
            said += os.read(master, 1000)
    except BlockingIOError:
        pass
    os.close(master)
    os.close(slave)
    return said.decode(), status


def test_the_environment_is_enough_for_ci(plain, cloud):
    env = {"ATFOTA_SERVER": cloud.url, "ATFOTA_TOKEN_FILE": str(cloud.data / "admin-token")}
    assert "items" in plain.ok("token", "list", "--allow-http", "--json", env=env).json


def test_a_stored_token_goes_to_no_other_server(tool, cloud):
    with Server(lambda path: (200, {}, EMPTY_LIST)) as other:
        done = tool("oem", "list", "--server", other.url, "--allow-http")
        assert done.status == 1 and "no token" in done.err, done
        assert other.seen == []


def test_redirects_are_not_followed(plain):
    with Server(lambda path: (200, {}, EMPTY_LIST)) as other:
        with Server(lambda path: (307, {"Location": other.url + path}, b"")) as first:
            done = plain("oem", "list", "--server", first.url, "--allow-http", env={"ATFOTA_TOKEN": "t"})
        assert done.status == 7 and "redirects" in done.err, done
        assert other.seen == []


# TLS and broken servers.

def test_a_certificate_has_to_verify(plain, tmp_path):
    authority = Authority(tmp_path)
    env = {"ATFOTA_TOKEN": "t"}
    for kind in ("good", "self-signed", "wrong-name", "expired"):
        with Server(lambda path: (200, {}, EMPTY_LIST), authority.server(kind)) as server:
            assert plain("oem", "list", "--server", server.url, env=env).status == 8
            done = plain("oem", "list", "--server", server.url, "--ca", authority.path, env=env)
            assert done.status == (0 if kind == "good" else 8), (kind, done)
            assert len(server.seen) == (1 if kind == "good" else 0)
            assert kind == "good" or "certificate" in done.err, done


@pytest.mark.parametrize("answer, status, words", [
    ((500, {}, b"<html>"), 8, "HTTP 500"),
    ((404, {}, b"<html>"), 7, "is it a platform"),
    ((200, {}, b"<html>hello"), 7, "not JSON"),
    ((200, {}, b'{"x":1}'), 7, "no list"),
    ((409, {"Content-Type": "application/problem+json"}, b'{"title":"Conflict","detail":"do\\u001b[2J that"}'), 7,
     "Conflict: do?[2J that (HTTP 409)"),
])
def test_what_a_server_says_becomes_a_clear_message(plain, answer, status, words):
    with Server(lambda path: answer) as server:
        done = plain("oem", "list", "--server", server.url, "--allow-http", env={"ATFOTA_TOKEN": "t"})
    assert done.status == status and words in done.err, done


def test_a_server_that_does_not_run_is_told(plain):
    done = plain("oem", "list", "--server", f"http://127.0.0.1:{closed_port()}", "--allow-http",
                 env={"ATFOTA_TOKEN": "secret-token"})
    assert done.status == 8 and "127.0.0.1" in done.err and "secret-token" not in done.text, done


@pytest.mark.parametrize("url", ["fota.example.com", "ftp://x", "https://", "https://u:p@x", "https://x/?q=1", "https://x/#f"])
def test_an_url_that_cannot_be_one_is_told(plain, url):
    done = plain("oem", "list", "--server", url, env={"ATFOTA_TOKEN": "t"})
    assert done.status == 1 and "server URL" in done.err, done


def test_lists_are_read_over_all_pages(plain):
    def answer(path):
        after = re.search(r"after=([^&]*)", path)
        at = {None: 0, "a%26b": 1, "c": 2}[after and after[1]]
        item = {"id": at, "name": f"N{at}", "created": "x"}
        return 200, {}, json.dumps({"items": [item], "next": ["a&b", "c", None][at]}).encode()

    with Server(answer) as server:
        words = ["oem", "list", "--server", server.url, "--allow-http", "--json"]
        env = {"ATFOTA_TOKEN": "t"}
        assert [item["id"] for item in plain.ok(*words, env=env).json["items"]] == [0, 1, 2]
        assert [item["id"] for item in plain.ok(*words, "--limit", "2", env=env).json["items"]] == [0, 1]
        assert plain(*words, "--limit", "0", env=env).status == 1


# The catalogue.

def test_an_oem_lives_and_dies(tool):
    name = f"Ünï & Söhne {uuid.uuid4().hex[:6]}"
    made = tool.ok("oem", "create", name, "--json").json
    assert made["name"] == name
    assert tool.ok("oem", "show", name, "--json").json == made
    assert tool.ok("oem", "show", str(made["id"]), "--json").json == made
    line = next(text for text in tool.ok("oem", "list").out.splitlines() if name in text)
    assert line.startswith(f"{made['id']} ")
    twice = tool("oem", "create", name)
    assert twice.status == 7 and "409" in twice.err, twice
    tool.ok("oem", "delete", name)
    gone = tool("oem", "show", name)
    assert gone.status == 7 and name in gone.err, gone


def test_a_model_is_named_with_its_oem(tool, oem):
    other = f"OEM {uuid.uuid4().hex[:8]}"
    tool.ok("oem", "create", other)
    tool.ok("model", "create", MODEL, "--oem", other)
    unclear = tool("model", "show", MODEL)
    assert unclear.status == 7 and "more than one" in unclear.err, unclear
    assert tool.ok("model", "show", MODEL, "--oem", other, "--json").json["oem"] == other
    assert [item["oem"] for item in tool.ok("model", "list", "--oem", oem, "--json").json["items"]] == [oem]
    assert tool("oem", "delete", other).status == 7  # it has a model
    tool.ok("model", "delete", MODEL, "--oem", other)
    tool.ok("oem", "delete", other)


def test_a_product_can_be_taken_over_with_id_and_secret(tool, oem, tmp_path):
    digits = str(uuid.uuid4().int)[:12]
    (tmp_path / "secret").write_text(SECRET + "\n")
    done = tool.ok("product", "create", "--oem", oem, "--model", MODEL, "--id", digits, "--name", "tracker",
                   "--secret-file", tmp_path / "secret", "--secret-out", tmp_path / "kept")
    assert SECRET not in done.text and digits in done.out
    assert (tmp_path / "kept").read_text() == SECRET + "\n"
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o600
    assert "secret" not in tool.ok("product", "show", digits, "--json").json
    assert SECRET in tool.ok("product", "secret", "tracker").out
    assert tool.ok("product", "list", "--oem", oem, "--json").json["items"][0]["id"] == digits
    tool.ok("product", "delete", digits)


def test_a_secret_goes_into_a_file_named_without_a_folder(tool, oem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = tool.ok("product", "create", "--oem", oem, "--model", MODEL, "--secret-out", "kept")
    assert re.fullmatch(r"[0-9a-f]{32}\n", (tmp_path / "kept").read_text())
    assert "SECRET" not in done.out


def test_a_product_is_made_with_a_secret_that_is_shown_once(tool, oem):
    done = tool.ok("product", "create", "--oem", oem, "--model", MODEL)
    digits, secret = (re.search(rf"^{name} +(\S+)$", done.out, re.MULTILINE)[1] for name in ("ID", "SECRET"))
    assert secret not in tool.ok("product", "show", digits).out
    assert secret in tool.ok("product", "secret", digits).out


def test_tokens_are_made_and_end(tool, plain, cloud, tmp_path):
    name = f"ci {uuid.uuid4().hex[:6]}"
    done = tool.ok("token", "create", name, "--token-out", tmp_path / "token")
    token = (tmp_path / "token").read_text().strip()
    assert token and token not in done.text
    env = {"ATFOTA_TOKEN_FILE": str(tmp_path / "token"), "ATFOTA_SERVER": cloud.url}
    assert plain("token", "list", "--allow-http", env=env).status == 0
    tool.ok("token", "delete", name)
    done = plain("token", "list", "--allow-http", env=env)
    assert done.status == 7 and "atfota login" in done.err and token not in done.text, done


# Keys of products.

def key_file(folder, text):
    path = folder / f"{uuid.uuid4().hex[:8]}.pem"
    path.write_bytes(text)
    return path


def test_keys_of_a_product_are_made_listed_and_deleted(tool, product, tmp_path):
    named = ["--product", product]
    key = suit.Key()
    made = tool.ok("product-key", "create", *named, "--name", "HSM 1", key_file(tmp_path, key.pem), "--json").json
    assert (made["kid"], made["name"], made["pem"]) == (key.kid.hex(), "HSM 1", key.pem.decode())
    assert key.kid.hex() in [item["kid"] for item in tool.ok("product-key", "list", *named, "--json").json["items"]]
    assert f"{key.kid.hex()}  HSM 1" in tool.ok("product-key", "list", *named).out
    twice = tool("product-key", "create", *named, key_file(tmp_path, key.pem))
    assert twice.status == 7 and "already" in twice.err, twice
    tool.ok("product-key", "delete", *named, key.kid.hex())
    gone = tool("product-key", "delete", *named, key.kid.hex())
    assert gone.status == 7 and "no key" in gone.err, gone
    assert tool("product-key", "list", "--product", "nothing").status == 7


def test_a_private_key_stays_where_it_is(tool, product, tmp_path):
    """It is not sent: there is no server that could get it."""
    secret = suit.Key().private_pem
    nowhere = {"ATFOTA_SERVER": f"http://127.0.0.1:{closed_port()}"}
    for text, words in [(secret, "private key"), (b"", "no public key"), (b"x" * 70_000, "too large"),
                        (suit.Key().pem + suit.Key().pem, "several")]:
        done = tool("product-key", "create", "--product", product, key_file(tmp_path, text), env=nowhere)
        assert done.status == 1 and words in done.err, done
        assert secret.decode().splitlines()[1] not in done.text


def test_a_key_is_changed_with_the_tool(tool, cloud, product, tmp_path):
    named = ["--product", product, "--name", "V2"]
    file = firmware(tmp_path)
    old, new = cloud.signer(product).keys[0], suit.Key()
    shown = tool.ok("version", "release", *named, *signed(cloud, product, "V2", file)).out
    assert old.kid.hex() in shown and re.search(r"^SEQUENCE +1$", shown, re.MULTILINE), shown
    stays = tool("product-key", "delete", "--product", product, old.kid.hex())
    assert stays.status == 7 and "package sign" in stays.err, stays
    tool.ok("product-key", "create", "--product", product, key_file(tmp_path, new.pem))
    resigned = tmp_path / "resigned.suit"
    resigned.write_bytes(cloud.manifest(product, "V2", file.read_bytes(), keys=[old, new]))
    version = tool.ok("version", "manifest", *named, resigned, "--json").json
    assert version["manifest"]["kids"] == [old.kid.hex(), new.kid.hex()] and version["state"] == "published"
    tool.ok("product-key", "delete", "--product", product, old.kid.hex())
    assert tool.ok("version", "show", str(version["id"]), "--json").json["manifest"]["kids"] == [new.kid.hex()]


def test_a_manifest_that_is_none_is_told(tool, cloud, product, tmp_path):
    file = firmware(tmp_path)
    words = ["version", "release", "--product", product, "--name", "V2"]
    for wrong in (file, tmp_path, tmp_path / "nowhere", "/dev/null"):
        done = tool(*words, "--manifest", wrong, file)
        assert done.status == 1 and str(wrong) in done.err, done
    (tmp_path / "noise").write_bytes(os.urandom(400))
    done = tool(*words, "--manifest", tmp_path / "noise", file)
    assert done.status == 7 and "package build" in done.err, done
    assert tool(*words, file).status == 1  # there is no unsigned way
    done = tool(*words, "--manifest", manifest(cloud, product, "V2", firmware(tmp_path, 5000)), file)
    assert done.status == 7 and "manifest" in done.err, done


# Versions and uploads.

def test_a_version_goes_from_draft_to_withdrawn(tool, cloud, product, tmp_path):
    named = ["--product", product, "--name", "V2"]
    made = tool.ok("version", "create", *named, "--notes", "n", "--from", "V0", "--from", "V1", "--json").json
    assert (made["state"], made["from"], made["package"]) == ("draft", ["V0", "V1"], None)
    early = tool("version", "publish", *named)
    assert early.status == 7 and "409" in early.err, early
    file = firmware(tmp_path)
    tool.ok("version", "manifest", *named, manifest(cloud, product, "V2", file))
    done = tool.ok("version", "upload", *named, file, "--json").json
    assert done["package"]["size"] == 100_000
    assert tool.ok("version", "publish", str(made["id"]), "--json").json["state"] == "published"
    assert "100.0 kB" in tool.ok("version", "list", "--product", product, "--state", "published").out
    assert tool("version", "delete", *named).status == 7
    assert tool.ok("version", "withdraw", *named, "--json").json["state"] == "withdrawn"
    assert tool.ok("version", "show", *named, "--json").json["id"] == made["id"]
    tool.ok("version", "create", "--product", product, "--name", "V3")
    tool.ok("version", "delete", "--product", product, "--name", "V3")


def test_release_can_be_done_again(tool, cloud, product, tmp_path):
    words = ["version", "release", "--product", product, "--name", "V2", "--json"]
    package = signed(cloud, product, "V2", firmware(tmp_path))
    first = tool.ok(*words, *package).json
    assert first["state"] == "published"
    assert tool.ok(*words, *package).json == first
    other = tool(*words, *signed(cloud, product, "V2", firmware(tmp_path)))
    assert other.status == 7 and "new version name" in other.err, other


REFUSALS = {  # what is wrong with a release, and a word that says so
    "another image": (lambda cloud, product, one, other: [manifest(cloud, product, "V2", other), one], "digest"),
    "another version": (lambda cloud, product, one, other: [manifest(cloud, product, "V3", one), one], "version"),
    "no manifest": (lambda cloud, product, one, other: [one, one], "SUIT envelope"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_release_that_is_refused_leaves_nothing_and_the_next_one_works(tool, cloud, product, tmp_path, what):
    words = ["version", "release", "--product", product, "--name", "V2"]
    make, word = REFUSALS[what]
    one, other = firmware(tmp_path, 1000), firmware(tmp_path, 1000)
    bad, image = make(cloud, product, one, other)
    done = tool(*words, "--notes", "first", "--from", "V0", "--manifest", bad, image)
    assert done.status == 7 and word in done.err and "nothing of this version is left" in done.err, done
    assert tool.ok("version", "list", "--product", product, "--json").json["items"] == []
    right = tool.ok(*words, "--notes", "second", "--json", *signed(cloud, product, "V2", one)).json
    assert (right["state"], right["notes"], right["from"]) == ("published", "second", [])


def test_a_draft_of_before_stays_when_a_release_is_refused(tool, cloud, product, tmp_path):
    named = ["--product", product, "--name", "V2"]
    made = tool.ok("version", "create", *named, "--json").json
    one, other = firmware(tmp_path, 1000), firmware(tmp_path, 1000)
    done = tool("version", "release", *named, "--manifest", manifest(cloud, product, "V2", other), one)
    assert done.status == 7 and "nothing of this version" not in done.err, done
    assert tool.ok("version", "show", *named, "--json").json["id"] == made["id"]
    assert tool.ok("version", "release", *named, *signed(cloud, product, "V2", one), "--json").json["id"] == made["id"]


def test_a_release_does_not_pass_over_other_notes_or_sources(tool, cloud, product, tmp_path):
    named = ["--product", product, "--name", "V2"]
    tool.ok("version", "create", *named, "--notes", "n", "--from", "V0")
    words = signed(cloud, product, "V2", firmware(tmp_path, 1000))
    for other in (["--notes", "m"], ["--from", "V1"], ["--from", "V0", "--from", "V1"]):
        done = tool("version", "release", *named, *other, *words)
        assert done.status == 7 and "other --notes or --from" in done.err and "version delete" in done.err, done
    assert tool.ok("version", "release", *named, "--notes", "n", "--from", "V0", *words, "--json").json["from"] == ["V0"]


def test_a_release_that_broke_says_how_to_go_on(tool, cloud, product, tmp_path):
    file = firmware(tmp_path, 3 * MIB)
    words = ["version", "release", "--product", product, "--name", "V2", *signed(cloud, product, "V2", file)]
    proxy = Failing(cloud.url, lambda method, path: method == "PUT" and path.endswith("/manifest"))
    done = tool(*words, "--allow-http", env={"ATFOTA_SERVER": proxy.url, "ATFOTA_TOKEN": cloud.token})
    assert done.status == 8 and "stays as a draft: the same command goes on with it" in done.err, done
    assert tool.ok(*words, "--json").json["state"] == "published"


def test_files_that_are_no_package_are_told(tool, cloud, product, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    words = signed(cloud, product, "V2", firmware(tmp_path))[:-1]
    for file in (tmp_path / "empty", tmp_path, tmp_path / "nowhere", "/dev/zero"):
        done = tool("version", "release", "--product", product, "--name", "V2", *words, file)
        assert done.status == 1 and str(file) in done.err, done


class Failing:
    """The platform behind a server that answers 503 to what `fails(method, path)` is true for."""

    def __init__(self, url, fails):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do(handler):
                body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
                if fails(handler.command, handler.path):
                    handler.send_error(503)
                    return
                request = urllib.request.Request(url + handler.path, body or None, method=handler.command, headers={
                    name: handler.headers[name] for name in ("Authorization", "Content-Type") if handler.headers[name]})
                with urllib.request.urlopen(request, timeout=10) as real:
                    text = real.read()
                    handler.send_response(real.status)
                handler.send_header("Content-Length", str(len(text)))
                handler.end_headers()
                handler.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = do

            def log_message(handler, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"


def through(tool, cloud, proxy):
    """The tool by way of a proxy."""
    return dict(env={"ATFOTA_SERVER": proxy.url, "ATFOTA_TOKEN": cloud.token})


def test_an_upload_goes_on_after_broken_connections(tool, cloud, product, tmp_path):
    file = firmware(tmp_path, 8 * MIB)
    with CutProxy(cloud.url, cuts=[2 * MIB, 3 * MIB]) as proxy:
        done = tool.ok("version", "release", "--product", product, "--name", "V2",
                       *signed(cloud, product, "V2", file), "--allow-http", "--json", **through(tool, cloud, proxy))
    offsets = proxy.offsets()
    assert done.json["state"] == "published" and "Trying again" in done.err
    assert len(offsets) == 3 and offsets[0] == 0 and 0 < offsets[1] < offsets[2] < 8 * MIB, offsets


def test_an_upload_that_was_killed_is_gone_on_with(tool, cloud, product, tmp_path):
    file = firmware(tmp_path, 8 * MIB)
    words = ["version", "release", "--product", product, "--name", "V2", *signed(cloud, product, "V2", file),
             "--allow-http", "--json"]
    with CutProxy(cloud.url, pace_s=0.02) as proxy:
        process = tool.start(*words, **through(tool, cloud, proxy))
        wait_for(lambda: proxy.sent_bytes > MIB or process.poll() is not None, "part", pause_s=0.01)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    upload = next(head.split("/api/v1/")[1] for head, offset in proxy.heads if offset)
    wait_for(lambda: cloud.ok("GET", upload)["offset"], "stored part")
    with CutProxy(cloud.url) as proxy:
        assert tool.ok(*words, **through(tool, cloud, proxy)).json["state"] == "published"
    assert len(proxy.offsets()) == 1 and proxy.offsets()[0] > 0


def test_the_lost_answer_to_finish_does_no_harm(tool, cloud, product, tmp_path):
    with CutProxy(cloud.url, lose=rb"/finish HTTP") as proxy:
        done = tool.ok("version", "release", "--product", product, "--name", "V2",
                       *signed(cloud, product, "V2", firmware(tmp_path)), "--allow-http", "--json", **through(tool, cloud, proxy))
    assert done.json["state"] == "published" and proxy.lose is None
    assert sum("/finish" in head for head, _ in proxy.heads) == 1


def peak_kib(process):
    """The most memory that it had, as far as seen before its end."""
    peak = 0
    while process.poll() is None:
        try:
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        except OSError:
            continue
        # Between fork and exec it is still a copy of this program.
        if found and words[0] == str(process.args[0]).encode():
            peak = int(found[1])
        time.sleep(0.002)
    assert peak
    return peak


def test_an_upload_takes_constant_memory(tool, cloud, product, tmp_path):
    peaks = []
    for number, size in enumerate((MIB, 64 * MIB)):
        process = tool.start("version", "release", "--product", product, "--name", f"V{number}",
                             *signed(cloud, product, f"V{number}", firmware(tmp_path, size)), stdout=None, stderr=None)
        peaks.append(peak_kib(process))
        assert process.returncode == 0
    assert peaks[1] - peaks[0] < 4096, f"{peaks} KiB"


# The whole way.

def test_devices_and_deployments_tell_what_came_of_an_upgrade(tool, cloud, oem, atfotad, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    product = tool.ok("product", "create", "--oem", oem, "--model", MODEL, "--id", str(uuid.uuid4().int)[:12],
                      "--secret-file", tmp_path / "secret", "--json").json["id"]
    tool.ok("version", "release", "--product", product, "--name", "V2.00",
            *signed(cloud, product, "V2.00", firmware(tmp_path)))
    device = str(uuid.uuid4().int)[:15]
    module = Module(atfotad, tmp_path / "module", cloud.url, trust=cloud.signer(product).keys,
                    identity=["--device", device, "--model", MODEL, "--firmware-version", "V1.00"]).start()
    words = ["module", "upgrade", "--port", module.link, "--oem", oem, "--model", MODEL, "--product", product]
    secret = {"ATFOTA_PRODUCT_SECRET": SECRET}
    try:
        assert tool(*words, "--target", "V2.00", env=secret).status == 0
        assert tool(*words, "--target", "V9.99", env=secret).status == 5
        wrong = tool(*words, "--target", "V2.00", env={"ATFOTA_PRODUCT_SECRET": "x" * 32})
        assert wrong.status == 2 and "402" in wrong.out + wrong.err, wrong
        check_reports(tool, product, device)
    finally:
        module.stop()


def check_reports(tool, product, device):
    end = time.monotonic() + 10
    while True:
        found, = tool.ok("deployment", "list", "--product", product, "--json").json["items"]
        if found["counts"].get("downloaded"):
            break
        assert time.monotonic() < end, found
        time.sleep(0.1)
    name = found["id"]
    reports = tool.ok("deployment", "reports", name, "--device", device, "--json").json["items"]
    assert ("downloaded", 3) in [(report["state"], report["code"]) for report in reports]
    assert device in tool.ok("deployment", "reports", name).out
    assert "downloaded 1" in tool.ok("deployment", "list", "--version", "V2.00", "--product", product).out
    assert tool.ok("deployment", "close", name, "--json").json["state"] == "closed"
    assert tool.ok("deployment", "list", "--product", product, "--state", "open").out == ""
    assert tool.ok("deployment", "open", name, "--json").json["state"] == "open"
    assert tool.ok("deployment", "show", name, "--json").json["id"] == name
    assert device in tool.ok("device", "list", "--product", product).out
    assert tool.ok("device", "show", device, "--json").json["version"] == "V1.00"


# Help.

def leaves(tool, *path):
    out = tool.ok(*path, "--help").out
    if "COMMAND ..." not in out:
        return [(path, out)]
    names = re.findall(r"^  ([a-z-]+) +[A-Z]", out.split("Exit status:")[0], re.MULTILINE)
    return [leaf for name in names for leaf in leaves(tool, *path, name)]


def test_every_command_has_help_with_its_exit_statuses(plain):
    found = leaves(plain)
    assert len(found) >= 35
    for path, out in found:
        assert f"Usage: atfota {' '.join(path)}" in out and "Exit status:" in out, path
        wrong = plain(*path, "--no-such-option")
        assert wrong.status == 1 and f"atfota {' '.join(path)}" in wrong.err, (path, wrong)


def test_version_and_wrong_words(plain):
    assert re.fullmatch(r"atfota \d+\.\d+\.\d+\n", plain.ok("--version").out)
    for words in ([], ["nothing"], ["oem"], ["oem", "nothing"], ["oem", "create"], ["oem", "create", "a", "b"]):
        done = plain(*words)
        assert done.status == 1 and "help" in done.err and done.out == "", (words, done)
