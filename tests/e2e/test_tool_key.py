# SPDX-License-Identifier: Apache-2.0
"""atfota key: keys in files and in tokens, and that what is secret stays so."""

import os
import pty
import re
import select
import stat
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib import hsm as softhsm, suit, suit_read
from lib.tool import Tool

PASSPHRASE = "correct horse, Batterie-Klämmer"
IMAGE = b"firmware" * 99


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def locked(tool, tmp_path, secret):
    """A key file with the passphrase."""
    path = tmp_path / "locked.pem"
    tool.ok("key", "create", "--passphrase-file", secret, path)
    return path


def public_of(tool, *words, **options):
    return suit_read.public_key(tool.ok("key", "export", *words, **options).out.encode())


def write(path, data, mode=0o600):
    path.touch(mode=mode)
    path.write_bytes(data)
    return path


def private_pem(key, passphrase=None):
    locking = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locking)


def build(tool, folder, key, *words, **options):
    """Builds a package with a key and returns it."""
    (folder / "fw.bin").write_bytes(IMAGE)
    done = tool("package", "build", "--oem=A", "--model=B", "--version=C", "--sequence=1", "--key", key, *words,
                "-o", folder / "fw.suit", folder / "fw.bin", **options)
    return done, (folder / "fw.suit").read_bytes() if done.status == 0 else None


# ---- create ----

def test_a_key_is_made_for_its_owner_only_and_read_by_others_programs(tool, tmp_path, secret, locked):
    assert stat.S_IMODE(locked.stat().st_mode) == 0o600
    text = locked.read_bytes()
    assert text.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    theirs = serialization.load_pem_private_key(text, PASSPHRASE.encode())
    assert isinstance(theirs.curve, ec.SECP256R1)
    ours = public_of(tool, "--passphrase-file", secret, locked)
    assert suit.point_of(theirs.public_key()) == ours.point
    with pytest.raises(ValueError):
        serialization.load_pem_private_key(text, b"wrong")
    told = subprocess.run(["openssl", "asn1parse", "-in", locked], capture_output=True, text=True, check=True).stdout
    assert "scrypt" in told and "aes-256-cbc" in told


def test_create_tells_the_key_id_and_nothing_secret(tool, tmp_path):
    path = tmp_path / "key.pem"
    told = tool.ok("key", "create", "--no-passphrase", "--json", path).json
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert told["kid"] == suit.key_id(suit.point_of(private.public_key())).hex()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"{private.private_numbers().private_value:x}" not in str(told)
    assert "PRIVATE" not in tool.ok("key", "show", path).text


def test_each_key_is_another_one(tool, tmp_path):
    kids = {tool.ok("key", "create", "--no-passphrase", "--json", tmp_path / f"{n}.pem").json["kid"] for n in range(4)}
    assert len(kids) == 4


@pytest.mark.parametrize("what", ["file", "dangling link", "folder"])
def test_what_is_there_is_never_overwritten(tool, tmp_path, what):
    path = tmp_path / "key.pem"
    if what == "file":
        path.write_text("mine")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    done = tool("key", "create", "--no-passphrase", path)
    assert done.status == 1 and "left alone" in done.err
    assert not (tmp_path / "elsewhere").exists()
    assert sorted(found.name for found in tmp_path.glob("key.pem*")) == ["key.pem"]
    assert what != "file" or path.read_text() == "mine"


def test_a_folder_that_is_not_there_is_told(tool, tmp_path):
    done = tool("key", "create", "--no-passphrase", tmp_path / "no/key.pem")
    assert done.status == 1 and "cannot write" in done.err and "No such file" in done.err


def test_without_a_terminal_the_ways_to_give_a_passphrase_are_told(tool, tmp_path):
    done = tool("key", "create", tmp_path / "key.pem")
    assert done.status == 1
    for way in ("--passphrase-file", "ATFOTA_PASSPHRASE", "--no-passphrase"):
        assert way in done.err
    assert not (tmp_path / "key.pem").exists()


def test_an_empty_passphrase_is_none(tool, tmp_path):
    empty = write(tmp_path / "empty", b"\n")
    done = tool("key", "create", "--passphrase-file", empty, tmp_path / "key.pem")
    assert done.status == 1 and "is empty" in done.err
    assert "exclude each other" in tool("key", "create", "--no-passphrase", "--passphrase-file", empty, tmp_path / "k").err


def test_the_passphrase_can_come_by_the_environment_or_standard_input(tool, tmp_path, locked):
    assert tool.ok("key", "show", locked, env={"ATFOTA_PASSPHRASE": PASSPHRASE}).status == 0
    assert tool.ok("key", "show", "--passphrase-file", "-", locked, input=PASSPHRASE + "\n").status == 0


# ---- keys that are no use ----

def test_a_wrong_passphrase_is_told_and_not_repeated(tool, tmp_path, locked):
    for words in (["key", "show"], ["key", "export"], ["package", "sign", "--key"]):
        done = tool(*words, locked, *([made(tmp_path)] if words[0] == "package" else []),
                    env={"ATFOTA_PASSPHRASE": "wrong one"})
        assert done.status == 1 and "passphrase does not fit" in done.err and "wrong one" not in done.text, done


def made(folder, keys=(suit.Key(),)):
    path = folder / "made.suit"
    path.write_bytes(suit.package("A", "B", "C", IMAGE, 1, list(keys)))
    return path


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1())],
                         ids=lambda key: key.curve.name)
def test_keys_on_other_curves_are_refused(tool, tmp_path, key):
    private = write(tmp_path / "private.pem", private_pem(key))
    public = write(tmp_path / "public.pem", key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    for words in (["key", "show", private], ["key", "show", public], ["key", "export", public],
                  ["package", "sign", "--key", private, made(tmp_path)],
                  ["package", "verify", "--key", public, made(tmp_path)]):
        done = tool(*words)
        assert done.status == 1 and "ECDSA P-256" in done.err, words


def test_a_truncated_file_is_no_key(tool, tmp_path, locked):
    whole = locked.read_bytes()
    for size in (0, 5, 30, 100, len(whole) // 2, len(whole) - 30, len(whole) - 2):
        locked.write_bytes(whole[:size])
        done = tool("key", "export", locked, env={"ATFOTA_PASSPHRASE": PASSPHRASE})
        assert done.status == 1 and str(locked) in done.err and done.out == "", (size, done)


def test_a_plain_key_that_others_can_read_does_not_sign(tool, tmp_path):
    path = write(tmp_path / "key.pem", private_pem(ec.generate_private_key(ec.SECP256R1())))
    path.chmod(0o644)
    done, _ = build(tool, tmp_path, path)
    assert done.status == 1 and "chmod 600" in done.err
    path.chmod(0o400)
    assert build(tool, tmp_path, path)[0].status == 0


def test_a_public_key_does_not_sign(tool, tmp_path):
    path = write(tmp_path / "key.pub", suit.Key().pem)
    done, _ = build(tool, tmp_path, path)
    assert done.status == 1 and "only a public key" in done.err


# ---- show, export ----

def test_openssl_takes_the_public_key_and_its_signatures(tool, tmp_path):
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    tool.ok("key", "create", "--no-passphrase", key)
    tool.ok("key", "export", key, "-o", public)
    told = subprocess.run(["openssl", "pkey", "-pubin", "-in", public, "-text", "-noout"], capture_output=True, text=True,
                          check=True).stdout
    assert "prime256v1" in told
    ours = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], capture_output=True, check=True).stdout
    assert ours == public.read_bytes()


def test_keys_of_openssl_are_as_good(tool, tmp_path):
    """Its older form of files, too."""
    path = tmp_path / "key.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-out", path], check=True, capture_output=True)
    path.chmod(0o600)
    assert b"EC PRIVATE KEY" in path.read_bytes()
    done, package = build(tool, tmp_path, path)
    assert done.status == 0
    assert suit_read.read(package, [public_of(tool, path)]).sequence == 1


def test_export_never_overwrites_not_even_the_key_itself(tool, tmp_path):
    path = tmp_path / "key.pem"
    tool.ok("key", "create", "--no-passphrase", path)
    before = path.read_bytes()
    done = tool("key", "export", path, "-o", path)
    assert done.status == 1 and "left alone" in done.err
    assert path.read_bytes() == before


def test_a_file_of_several_public_keys_is_shown_key_by_key(tool, tmp_path):
    keys = [suit.Key() for _ in range(3)]
    path = write(tmp_path / "trust.pem", b"".join(key.pem for key in keys))
    items = tool.ok("key", "show", "--json", path).json["items"]
    assert [item["kid"] for item in items] == [key.kid.hex() for key in keys]
    assert [item["pem"].encode() for item in items] == [key.pem for key in keys]
    out = tool.ok("key", "show", path).out
    assert all(key.kid.hex() in out and key.pem.decode() in out for key in keys)


def test_a_missing_file_is_told(tool, tmp_path):
    done = tool("key", "show", tmp_path / "none.pem")
    assert done.status == 1 and "none.pem" in done.err and "No such file" in done.err


# ---- signing ----

def test_each_of_several_keys_gets_its_own_passphrase(tool, tmp_path, locked, secret):
    second = write(tmp_path / "second.pem", private_pem(ec.generate_private_key(ec.SECP256R1()), b"another"))
    other = write(tmp_path / "other-passphrase", b"another")
    words = ["--key", second, "--passphrase-file", secret, "--passphrase-file", other]
    done, package = build(tool, tmp_path, locked, *words)
    assert done.status == 0, done
    keys = [public_of(tool, "--passphrase-file", secret, locked), public_of(tool, "--passphrase-file", other, second)]
    assert suit_read.read(package, keys).keys == keys
    done, _ = build(tool, tmp_path, locked, "--key", second, "--passphrase-file", secret)
    assert done.status == 1 and "second.pem" in done.err
    three = tmp_path / "third.pem"
    tool.ok("key", "create", "--no-passphrase", three)
    done, _ = build(tool, tmp_path, locked, *words, "--key", three)
    assert done.status == 1 and "once for each key" in done.err


def test_keys_are_rotated_by_a_second_signature(tool, tmp_path):
    """Modules with the old key and modules with the new one take the same package."""
    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    for path in (old, new):
        tool.ok("key", "create", "--no-passphrase", path)
        tool.ok("key", "export", path, "-o", path.with_suffix(".pub"))
    build(tool, tmp_path, old)
    verify = ["package", "verify", tmp_path / "fw.suit", tmp_path / "fw.bin", "--key"]
    assert [tool(*verify, path.with_suffix(".pub")).status for path in (old, new)] == [0, 1]
    tool.ok("package", "sign", "--key", new, tmp_path / "fw.suit")
    assert [tool(*verify, path.with_suffix(".pub")).status for path in (old, new)] == [0, 0]


# ---- the prompt ----

class Terminal:
    """The tool with a terminal of its own, as a person would run it."""

    def __init__(self, tool, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(tool.program, [tool.program, *map(str, words)], tool.env)
        self.seen = b""

    def expect(self, text):
        limit = time.monotonic() + 20
        while text.encode() not in self.seen:
            assert time.monotonic() < limit, self.seen
            if select.select([self.fd], [], [], 0.5)[0]:
                self.seen += os.read(self.fd, 4096)

    def type(self, text):
        os.write(self.fd, text.encode() + b"\r")

    def end(self):
        try:
            while chunk := os.read(self.fd, 4096):
                self.seen += chunk
        except OSError:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_new_passphrase_is_typed_twice_and_not_seen(tool, tmp_path):
    path = tmp_path / "key.pem"
    terminal = Terminal(tool, "key", "create", path)
    terminal.expect("passphrase for")
    terminal.type(PASSPHRASE)
    terminal.expect("once more")
    terminal.type(PASSPHRASE)
    assert terminal.end() == 0, terminal.seen
    assert b"horse" not in terminal.seen
    serialization.load_pem_private_key(path.read_bytes(), PASSPHRASE.encode())


def test_two_passphrases_make_no_key(tool, tmp_path):
    terminal = Terminal(tool, "key", "create", tmp_path / "key.pem")
    terminal.expect("passphrase for")
    terminal.type("one")
    terminal.expect("once more")
    terminal.type("other")
    assert terminal.end() == 1
    assert b"not the same" in terminal.seen and not (tmp_path / "key.pem").exists()


def test_the_prompt_can_be_left_by_ctrl_c(tool, locked):
    terminal = Terminal(tool, "key", "show", locked)
    terminal.expect("passphrase of")
    terminal.type("corr\x03")
    assert terminal.end() == 6
    assert b"cancelled" in terminal.seen


def test_no_secret_is_in_the_process_list_and_no_core_is_left(tool, tmp_path, locked, secret):
    """While it waits at the prompt for the second key, the first one's secrets are in its memory."""
    other = tmp_path / "other.pem"
    tool.ok("key", "create", "--passphrase-file", secret, other)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "fw.bin").write_bytes(IMAGE)
    process = tool.start("package", "build", "--oem=A", "--model=B", "--version=C", "--sequence=1", "--key", locked,
                         "--key", other, "--passphrase-file", secret, "--passphrase-file", fifo,
                         "-o", tmp_path / "fw.suit", tmp_path / "fw.bin")
    try:
        pipe = os.open(fifo, os.O_WRONLY)  # returns when the tool reads from it
        proc = Path(f"/proc/{process.pid}")
        assert PASSPHRASE.encode() not in (proc / "cmdline").read_bytes()
        assert re.search(r"Max core file size +0 +0 ", (proc / "limits").read_text())
        os.write(pipe, PASSPHRASE.encode())
        os.close(pipe)
        done = tool.finish(process)
        assert done.status == 0 and "Klämmer" not in done.text, done
    finally:
        process.kill()


def test_no_option_takes_a_passphrase(tool, locked):
    for words in (["--passphrase", PASSPHRASE], ["--passphrase-value", PASSPHRASE], ["--pin", "1234"]):
        done = tool("key", "show", *words, locked)
        assert done.status == 1 and "--passphrase-file" not in done.out


# ---- tokens ----

@pytest.fixture
def hsm(tmp_path):
    return softhsm.Token(tmp_path)


@pytest.fixture
def hsm_tool(build, tmp_path, hsm):
    """Leaks are not looked for: the engine loses some memory of its own, and is unloaded before it could be named."""
    sanitizer = os.environ["ASAN_OPTIONS"] + ":detect_leaks=0"
    return Tool(build / "tool/atfota", tmp_path, **hsm.env, ASAN_OPTIONS=sanitizer)


@pytest.fixture
def pin(tmp_path):
    return write(tmp_path / "pin", softhsm.PIN.encode() + b"\n")


def test_a_key_in_a_token_signs_and_never_leaves_it(hsm_tool, hsm, tmp_path, pin):
    uri = hsm.make_key("release")
    done, package = build(hsm_tool, tmp_path, uri, "--passphrase-file", pin)
    assert done.status == 0, done
    key = public_of(hsm_tool, uri)
    assert suit_read.read(package, [key]).sequence == 1
    assert hsm_tool.ok("key", "show", "--json", uri).json["items"][0]["kid"] == key.kid.hex()
    assert "a PKCS#11 token" in hsm_tool.ok("key", "show", uri).out


def test_the_pin_comes_by_each_way_but_the_argument_list(hsm_tool, hsm, tmp_path, pin):
    uri = hsm.make_key("release")
    ways = [(uri, {"ATFOTA_PASSPHRASE": softhsm.PIN}), (f"{uri}?pin-source=file:{pin}", {}), (f"{uri}?pin-source={pin}", {}),
            (f"{uri}?module-path={softhsm.MODULE}&pin-source=file:{pin}", {})]
    for way, env in ways:
        done, _ = build(hsm_tool, tmp_path, way, env=env)
        assert done.status == 0, (way, done)
    done, _ = build(hsm_tool, tmp_path, f"{uri}?pin-value={softhsm.PIN}")
    assert done.status == 1 and "pin-source" in done.err and softhsm.PIN not in done.text


def test_a_pin_is_asked_for_on_the_terminal(hsm_tool, hsm, tmp_path):
    uri = hsm.make_key("release")
    path = made(tmp_path)
    terminal = Terminal(hsm_tool, "package", "sign", "--key", uri, path)
    terminal.expect("PIN of")
    terminal.type(softhsm.PIN)
    assert terminal.end() == 0, terminal.seen
    assert softhsm.PIN.encode() not in terminal.seen
    assert suit_read.read(path.read_bytes(), [public_of(hsm_tool, uri)]).sequence == 1


def test_a_wrong_pin_is_tried_once(hsm_tool, hsm, tmp_path):
    """A token locks itself after a few; the right PIN works after more wrong ones than it would bear in one go."""
    uri = hsm.make_key("release")
    done, _ = build(hsm_tool, tmp_path, uri, env={"ATFOTA_PASSPHRASE": "000000"})
    assert done.status == 1 and "refuses the PIN" in done.err and "000000" not in done.text
    assert build(hsm_tool, tmp_path, uri, env={"ATFOTA_PASSPHRASE": softhsm.PIN})[0].status == 0


@pytest.mark.parametrize("uri,text", [
    ("pkcs11:token=fota;object=nobody", "no such key"),
    ("pkcs11:token=nobody;object=release", "no such key"),
    ("pkcs11:object=release?module-path=/nowhere/lib.so", "/nowhere/lib.so: cannot be read"),
    ("pkcs11:object=release?pin-source=/nowhere/pin", "/nowhere/pin: cannot be read"),
    ("pkcs11:object=release?pin-source=%7Cid", "no file"),
])
def test_what_is_wrong_with_a_uri_is_told(hsm_tool, hsm, tmp_path, pin, uri, text):
    hsm.make_key("release")
    done, _ = build(hsm_tool, tmp_path, uri, "--passphrase-file", pin)
    assert done.status == 1 and text in done.err, done


def test_a_token_key_of_another_kind_is_refused(hsm_tool, hsm, tmp_path, pin):
    for kind, number in (("EC:secp384r1", "02"), ("rsa:2048", "03")):
        done, _ = build(hsm_tool, tmp_path, hsm.make_key(f"key{number}", kind, number), "--passphrase-file", pin)
        assert done.status == 1 and "ECDSA P-256" in done.err, done


def test_a_token_and_a_file_sign_together(hsm_tool, hsm, tmp_path, pin, locked, secret):
    uri = hsm.make_key("release")
    done, package = build(hsm_tool, tmp_path, uri, "--key", locked, "--passphrase-file", pin, "--passphrase-file", secret)
    assert done.status == 0, done
    keys = [public_of(hsm_tool, uri), public_of(hsm_tool, "--passphrase-file", secret, locked)]
    assert suit_read.read(package, keys).keys == keys


def test_a_key_in_a_token_is_made_by_its_own_program(hsm_tool, hsm):
    done = hsm_tool("key", "create", "--no-passphrase", hsm.uri("new"))
    assert done.status == 1 and "pkcs11-tool" in done.err


def test_without_provider_and_engine_it_is_told_what_to_install(hsm_tool, hsm, tmp_path, pin):
    uri = hsm.make_key("release")
    done, _ = build(hsm_tool, tmp_path, uri, "--passphrase-file", pin, env={"OPENSSL_ENGINES": str(tmp_path)})
    assert done.status == 1 and "pkcs11-provider" in done.err and "libengine-pkcs11-openssl" in done.err


# ---- the provider, where there is one ----

@pytest.fixture
def fake(tmp_path, build):
    """The token of tests/fakes/pkcs11_provider.c, as a folder."""
    folder = tmp_path / "fake-token"
    folder.mkdir()
    (folder / "pin").write_text(softhsm.PIN + "\n")
    return folder


@pytest.fixture
def fake_tool(build, tmp_path, fake):
    return Tool(build / "tool/atfota", tmp_path, OPENSSL_MODULES=str(build / "tests/fakes"), FAKE_TOKEN=str(fake))


def test_the_provider_is_used_where_there_is_one(fake_tool, fake, tmp_path, pin):
    key = suit.Key()
    (fake / "release.pem").write_bytes(key.private_pem)
    done, package = build(fake_tool, tmp_path, "pkcs11:object=release", "--passphrase-file", pin)
    assert done.status == 0, done
    assert suit_read.read(package, [key]).keys == [key]
    assert build(fake_tool, tmp_path, f"pkcs11:object=release?pin-source={pin}")[0].status == 0
    assert "passphrase-file" in build(fake_tool, tmp_path, "pkcs11:object=release")[0].err


def test_the_provider_gives_public_keys_without_a_pin(fake_tool, fake):
    key = suit.Key()
    (fake / "release.pem").write_bytes(key.pem)
    assert public_of(fake_tool, "pkcs11:object=release").point == key.point


def test_what_the_provider_refuses_is_told(fake_tool, fake, tmp_path, pin):
    wrong = write(tmp_path / "wrong", b"000000")
    for name in ("one", "two"):
        (fake / f"{name}.pem").write_bytes(suit.Key().private_pem)
    for uri, given, text in (("pkcs11:object=one", wrong, "or the PIN is wrong"), ("pkcs11:object=three", pin, "no such key"),
                             ("pkcs11:", pin, "more than one key")):
        done, _ = build(fake_tool, tmp_path, uri, "--passphrase-file", given)
        assert done.status == 1 and text in done.err, (uri, done)
