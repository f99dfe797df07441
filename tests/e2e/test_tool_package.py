# SPDX-License-Identifier: Apache-2.0
"""atfota package: what it makes is judged by readers that share nothing with it, and what others
make it reads."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import cbor2

from lib import diag, suit, suit_read
from lib.tool import Tool
from lib.wire import decode

VECTORS = Path(__file__).resolve().parents[1] / "vectors/suit"
OEM, MODEL, VERSION = "SIMCOM", "7600M21", "SIM7600M21_LE11_181025_V2.00"
IMAGE = bytes(range(256)) * 37
KEY, OTHER = suit.Key(), suit.Key()


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path)


@pytest.fixture
def folder(tmp_path):
    """An image and two keys of the harness, private and public."""
    (tmp_path / "fw.bin").write_bytes(IMAGE)
    for name, key in (("key", KEY), ("other", OTHER)):
        private = tmp_path / f"{name}.pem"
        private.touch(mode=0o600)
        private.write_bytes(key.private_pem)
        (tmp_path / f"{name}.pub").write_bytes(key.pem)
    return tmp_path


def build_words(folder, **changed):
    options = {"oem": OEM, "model": MODEL, "version": VERSION, "sequence": 7, "key": folder / "key.pem",
               "output": folder / "fw.suit"} | changed
    return ["package", "build", *(f"--{name}={value}" for name, value in options.items() if value is not None),
            folder / "fw.bin"]


def made(folder, name="made.suit", keys=(KEY,), **wrong):
    """A file with a manifest of the harness."""
    path = folder / name
    path.write_bytes(suit.package(OEM, MODEL, VERSION, IMAGE, 7, list(keys), **wrong))
    return path


def vector(name):
    """(notation, envelope without, envelope with signature) of an example of the draft."""
    text = (VECTORS / name).read_text()
    blocks = [bytes.fromhex(found) for found in re.findall(r"~~~\n([0-9a-f\n]+)~~~", text)]
    return re.search(r"~~~ cbor-diag\n(.*?)~~~", text, re.DOTALL)[1], *blocks


def envelopes():
    """Envelopes in the manner of the draft's other examples, and odd ones, by name: (whether a module
    with slot 0 takes it, bytes)."""
    lines = [line.split() for line in (VECTORS / "made.txt").read_text().splitlines() if not line.startswith("#")]
    return {name: (form == "OK" and (plan == "OK" or slot != "0"), bytes.fromhex(line[-1]))
            for line in lines for name, form, _, plan, slot in [line[:5]]}


def notation(shown):
    """The part of `package show` that is notation: up to the empty line."""
    return shown.split("\n\n")[0]


# ---- build ----

def test_what_is_built_is_believed_by_the_reader_of_the_harness(tool, folder):
    tool.ok(*build_words(folder))
    found = suit_read.read((folder / "fw.suit").read_bytes(), [OTHER, KEY])
    assert (found.sequence, found.size, found.uri) == (7, len(IMAGE), None)
    assert found.digest == decode(suit.suit_digest(IMAGE))[1]
    assert found.texts == {1: OEM, 2: MODEL, 6: VERSION}
    assert [key.kid for key in found.keys] == [KEY.kid]
    assert found.met == [suit.IF_VENDOR, suit.IF_CLASS, suit.FETCH_IT, suit.IF_IMAGE, suit.IF_IMAGE]


def test_what_is_built_is_what_the_harness_builds_but_for_the_signature(tool, folder):
    for uri in (None, "https://example.com/fw.bin"):
        tool.ok(*build_words(folder, uri=uri))
        ours = decode((folder / "fw.suit").read_bytes()).value
        theirs = decode(suit.package(OEM, MODEL, VERSION, IMAGE, 7, [KEY], uri=uri)).value
        assert ours[suit.MANIFEST] == theirs[suit.MANIFEST]
        assert decode(ours[suit.WRAPPER])[0] == decode(theirs[suit.WRAPPER])[0]
        assert len(ours[suit.WRAPPER]) == len(theirs[suit.WRAPPER])


def test_build_tells_what_it_made_and_programs_too(tool, folder):
    out = tool.ok(*build_words(folder)).out
    assert OEM in out and VERSION in out and KEY.kid.hex() in out
    told = tool.ok(*build_words(folder), "--json").json
    assert (told["oem"], told["model"], told["version"], told["sequence"]) == (OEM, MODEL, VERSION, 7)
    assert (told["size"], told["verified"]) == (len(IMAGE), [KEY.kid.hex()])
    assert told["vendor"].replace("-", "") == suit.vendor_id(OEM).hex()


def test_several_keys_sign_at_once(tool, folder):
    tool.ok(*build_words(folder), "--key", folder / "other.pem")
    for keys in ([KEY], [OTHER], [OTHER, KEY]):
        assert suit_read.read((folder / "fw.suit").read_bytes(), keys).keys == keys


def test_eight_signatures_fit_with_the_longest_names(tool, folder):
    words = []
    for number in range(7):
        path = folder / f"k{number}.pem"
        tool.ok("key", "create", "--no-passphrase", path)
        words += ["--key", path]
    out = folder / "fw.suit"
    tool.ok(*build_words(folder), *words)
    assert len(decode(decode(out.read_bytes()).value[suit.WRAPPER])) == 9
    long = build_words(folder, oem="O" * 64, model="M" * 64, version="V" * 128, uri="https://" + "u" * 247)
    done = tool(*long, *words)
    if done.status:
        assert "longer than 1536 bytes" in done.err and "fewer keys" in done.err
    else:
        assert len(out.read_bytes()) <= suit_read.ENVELOPE_MAX_BYTES


def test_a_sequence_of_auto_is_the_clock(tool, folder):
    before = int(time.time())
    told = tool.ok(*build_words(folder, sequence="auto"), "--json").json
    assert before <= told["sequence"] <= time.time()


@pytest.mark.parametrize("changed,text", [
    ({"sequence": "0"}, "--sequence"),
    ({"sequence": "-1"}, "--sequence"),
    ({"sequence": "7x"}, "--sequence"),
    ({"sequence": ""}, "--sequence"),
    ({"sequence": str(2**63)}, "--sequence"),
    ({"sequence": str(2**64 + 7)}, "--sequence"),
    ({"oem": ""}, "--oem"),
    ({"oem": "O" * 65}, "--oem"),
    ({"model": "a\nb"}, "--model"),
    ({"version": "V" * 129}, "--version"),
    ({"uri": "ftp://example.com/"}, "--uri"),
    ({"uri": "https://" + "u" * 248}, "--uri"),
    ({"oem": None}, "--oem is needed"),
    ({"sequence": None}, "--sequence is needed"),
    ({"key": None}, "--key is needed"),
    ({"output": None}, "--output is needed"),
])
def test_what_cannot_be_in_a_manifest_is_refused_by_name(tool, folder, changed, text):
    done = tool(*build_words(folder, **changed))
    assert done.status == 1 and text in done.err, done
    assert not (folder / "fw.suit").exists()


def test_the_largest_sequence_is_taken(tool, folder):
    assert tool.ok(*build_words(folder, sequence=2**63 - 1), "--json").json["sequence"] == 2**63 - 1


def test_a_name_that_is_no_text_is_refused(tool, folder):
    words = [str(word).encode() for word in build_words(folder, oem=None)]
    done = tool(*words, b"--oem=\xff")
    assert done.status == 1 and "--oem" in done.err


def test_a_missing_or_empty_image_is_refused(tool, folder):
    (folder / "fw.bin").write_bytes(b"")
    assert "is empty" in tool(*build_words(folder)).err
    (folder / "fw.bin").unlink()
    done = tool(*build_words(folder))
    assert done.status == 1 and "fw.bin" in done.err
    assert not (folder / "fw.suit").exists()


def test_the_output_never_replaces_what_is_no_manifest(tool, folder):
    for name in ("fw.bin", "key.pem"):
        before = (folder / name).read_bytes()
        done = tool(*build_words(folder, output=folder / name))
        assert done.status == 1 and "left alone" in done.err
        assert (folder / name).read_bytes() == before
    tool.ok(*build_words(folder))
    tool.ok(*build_words(folder, sequence=8))
    assert suit_read.read((folder / "fw.suit").read_bytes(), [KEY]).sequence == 8
    assert [path.name for path in folder.glob("fw.suit*")] == ["fw.suit"]


def test_the_output_can_be_standard_output(tool, folder):
    process = tool.start(*build_words(folder, output="-"))
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert suit_read.read(out, [KEY]).sequence == 7


def test_the_same_key_twice_is_refused(tool, folder):
    done = tool(*build_words(folder), "--key", folder / "key.pem")
    assert done.status == 1 and KEY.kid.hex() in done.err and "twice" in done.err


# ---- sign ----

def test_a_signature_is_added_and_the_old_one_stays(tool, folder):
    path = made(folder)
    tool.ok("package", "sign", "--key", folder / "other.pem", path)
    found = suit_read.read(path.read_bytes(), [KEY, OTHER])
    assert found.keys == [KEY, OTHER]


def test_signing_can_leave_the_file_as_it_is(tool, folder):
    path = made(folder)
    before = path.read_bytes()
    tool.ok("package", "sign", "--key", folder / "other.pem", "-o", folder / "both.suit", path)
    assert path.read_bytes() == before
    assert suit_read.read((folder / "both.suit").read_bytes(), [OTHER]).keys == [OTHER]


def test_what_was_severed_stays_severed_and_signed(tool, folder):
    path = made(folder, severed=[suit.TEXT])
    tool.ok("package", "sign", "--key", folder / "other.pem", path)
    assert suit_read.read(path.read_bytes(), [OTHER]).texts[1] == OEM


def test_a_second_signature_of_a_key_is_refused(tool, folder):
    path = made(folder)
    before = path.read_bytes()
    done = tool("package", "sign", "--key", folder / "key.pem", path)
    assert done.status == 1 and f"the key {KEY.kid.hex()} has signed it already" in done.err
    assert path.read_bytes() == before


def test_a_ninth_signature_is_refused(tool, folder):
    path = made(folder, keys=[suit.Key() for _ in range(8)])
    done = tool("package", "sign", "--key", folder / "key.pem", path)
    assert done.status == 1 and "8 signatures" in done.err


def test_what_a_module_would_refuse_is_not_signed(tool, folder):
    for wrong in ({"change": suit.nested(5)}, {"change": suit.commands(65)}, {"spell": suit.long_integer}):
        path = made(folder, **wrong)
        before = path.read_bytes()
        done = tool("package", "sign", "--key", folder / "other.pem", path)
        assert done.status == 1 and "made.suit" in done.err, wrong
        assert path.read_bytes() == before


# ---- verify ----

def verify(tool, folder, path, *rest, key="key.pub"):
    return tool("package", "verify", "--key", folder / key, path, *rest)


def test_what_the_harness_signs_is_verified(tool, folder):
    done = verify(tool, folder, made(folder), folder / "fw.bin")
    assert done.status == 0 and KEY.kid.hex() in done.out, done
    assert verify(tool, folder, made(folder, keys=[KEY.anonymous()])).status == 0


@pytest.mark.parametrize("name", ["example0.txt", "example1.txt"])
def test_examples_of_the_draft_are_verified(tool, tmp_path, name):
    path = tmp_path / "example.suit"
    path.write_bytes(vector(name)[2])
    done = tool.ok("package", "verify", "--key", VECTORS / "example_key_public.pem", path, "--json")
    assert done.json["size"] == 34768 and done.json["signatures"] == [{"kid": None, "algorithm": "ES256"}]
    assert "no names" in done.err
    path.write_bytes(vector(name)[1])
    assert tool("package", "verify", "--key", VECTORS / "example_key_public.pem", path).status == 1


def test_it_tells_which_of_the_keys_signed(tool, folder):
    path = made(folder, keys=[OTHER])
    told = tool.ok("package", "verify", "--key", folder / "key.pub", "--key", folder / "other.pub", path, "--json").json
    assert told["verified"] == [OTHER.kid.hex()]
    assert told["signatures"] == [{"kid": OTHER.kid.hex(), "algorithm": "ES256"}]


def test_another_key_and_a_false_key_id_do_not_verify(tool, folder):
    for keys in ([OTHER], [OTHER.claiming(KEY)], []):
        done = verify(tool, folder, made(folder, keys=keys))
        assert done.status == 1 and "none of these keys" in done.err, keys


def test_without_a_key_nothing_is_verified(tool, folder):
    done = tool("package", "verify", made(folder))
    assert done.status == 1 and "--key is needed" in done.err


def test_a_private_key_is_no_key_to_verify_with(tool, folder):
    done = verify(tool, folder, made(folder), key="key.pem")
    assert done.status == 1 and "atfota key export" in done.err


def test_a_changed_image_is_found(tool, folder):
    path = made(folder)
    changed = bytearray(IMAGE)
    changed[len(IMAGE) // 2] ^= 1
    for image, text in ((changed, "another image"), (IMAGE[:-1], "bytes, the manifest is about"),
                        (IMAGE + b"\0", "bytes, the manifest is about")):
        (folder / "fw.bin").write_bytes(image)
        done = verify(tool, folder, path, folder / "fw.bin")
        assert done.status == 1 and text in done.err
    assert "cannot open" in verify(tool, folder, path, folder / "missing.bin").err


def test_identifiers_that_are_not_those_of_the_names_are_found(tool, folder):
    done = verify(tool, folder, made(folder, change=suit.made_for(OEM, "another")))
    assert done.status == 1 and "not those of the OEM" in done.err


def test_a_manifest_without_digest_or_size_is_found(tool, folder):
    for number in (suit.DIGEST, suit.SIZE):
        assert verify(tool, folder, made(folder, change=suit.parameter(number, None))).status == 1


def test_commands_that_no_module_can_carry_out_are_found(tool, folder):
    for commands, text in ((suit.member(suit.INSTALL, [18, 2]), "writes, copies or swaps"),
                           (suit.install(14, suit.POLICY), "condition"),
                           (suit.install(suit.IF_IMAGE, suit.POLICY), "condition")):
        done = verify(tool, folder, made(folder, change=commands))
        assert done.status == 1 and text in done.err, done


def test_what_is_right_but_of_no_use_here_is_noted(tool, folder):
    """Others' manifests verify; that a module of ours refuses them is told beside it."""
    wrong = [(suit.text(suit.TEXT_VERSION, None), "no names"), (suit.without_condition(suit.IF_CLASS), "no conditions"),
             (suit.member(suit.INSTALL, None), "no fetch"),
             (suit.install(suit.OVERRIDE, {5: 0}, 5, suit.POLICY), "in both slots")]
    for change, text in wrong:
        done = verify(tool, folder, made(folder, change=change))
        assert done.status == 0 and text in done.err, text
    assert verify(tool, folder, made(folder)).err == ""


def test_truncated_files_are_no_manifests(tool, folder):
    path = made(folder)
    whole = path.read_bytes()
    for size in [0, 1, 2, *range(7, len(whole), 41), len(whole) - 1]:
        path.write_bytes(whole[:size])
        for verb in (["verify", "--key", folder / "key.pub"], ["sign", "--key", folder / "other.pem"], ["show"]):
            done = tool("package", *verb, path)
            assert done.status == 1 and str(path) in done.err, (size, verb, done)


def test_changed_bits_are_found(tool, folder):
    """Some of them; the parser is the one that every bit is tried on elsewhere."""
    whole = made(folder).read_bytes()
    path = folder / "flipped.suit"
    for bit in range(3, len(whole) * 8, 97):
        path.write_bytes(suit.flipped(whole, bit))
        assert verify(tool, folder, path).status == 1, bit


# ---- show ----

@pytest.mark.parametrize("name", ["example0.txt", "example1.txt"])
def test_the_notation_is_that_of_the_draft_but_for_comments_and_blanks(tool, tmp_path, name):
    text, _, signed = vector(name)
    path = tmp_path / "example.suit"
    path.write_bytes(signed)
    shown = tool.ok("package", "show", path).out
    assert diag.tokens(notation(shown)) == diag.tokens(text)
    assert set(re.findall(r"/ ([a-z-]+) / ", text)) - {"condition-class-identifier"} <= set(re.findall(r"/ ([a-z-]+) / ", shown))


@pytest.mark.parametrize("name,envelope", [(name, data) for name, (_, data) in envelopes().items()])
def test_the_notation_stands_for_the_bytes_that_were_read(tool, tmp_path, name, envelope):
    path = tmp_path / "made.suit"
    path.write_bytes(envelope)
    done = tool.ok("package", "show", path)
    assert diag.parse(notation(done.out)) == envelope
    assert diag.parse(tool.ok("package", "show", path, "--json").json["notation"]) == envelope


def test_what_a_module_refuses_is_shown_as_refused(tool, tmp_path):
    path = tmp_path / "made.suit"
    refused = 0
    for name, (is_right, envelope) in envelopes().items():
        path.write_bytes(envelope)
        told = tool.ok("package", "show", path)
        assert ("A module refuses it" in told.out) != is_right, name
        assert (tool.ok("package", "show", path, "--json").json["refused"] is None) == is_right, name
        refused += not is_right
    assert refused > 5


def test_show_says_that_nobody_checked_the_signatures(tool, folder):
    path = made(folder)
    out = tool.ok("package", "show", path).out
    assert "not checked" in out and KEY.kid.hex() in out
    assert tool.ok("package", "show", path, "--json").json["verified"] is None
    for key, verified in ((KEY, "key.pub"), (None, "other.pub")):
        told = tool.ok("package", "show", path, "--json", "--key", folder / verified).json
        assert told["verified"] == ([key.kid.hex()] if key else [])
    assert "none by the given keys" in tool.ok("package", "show", path, "--key", folder / "other.pub").out


def test_show_tells_the_commands_in_words(tool, folder):
    out = tool.ok("package", "show", made(folder, uri="https://example.com/fw.bin")).out.split("What a module does")[1]
    wanted = ["this vendor", "this class", "To install", "https://example.com/fw.bin", "Fetches the image",
              "this digest and size"]
    places = [out.index(words) for words in wanted]
    assert places == sorted(places)


def test_no_text_of_a_manifest_reaches_the_terminal_as_a_command(tool, folder):
    evil = "a\x1b[2J\x07\u009b31mb\"\\/c\n\t"
    path = made(folder, change=suit.both(suit.text(suit.TEXT_VERSION, evil), suit.text(4, evil)),
                uri="https://example.com/\x1b]0;x\x07")
    for words in (["show"], ["verify", "--key", folder / "key.pub"]):
        done = tool("package", *words, path)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", done.text), words
    shown = tool.ok("package", "show", path, "--json").json["notation"]
    assert diag.parse(shown) == path.read_bytes() and r'c\n\t"' in shown


def test_what_is_no_manifest_is_not_shown(tool, tmp_path):
    path = tmp_path / "x.suit"
    for data, text in ((b"hello", "no deterministic CBOR"), (b"\x18\x01", "no deterministic CBOR"), (b"", "is empty"),
                       (b"\0" * 65537, "longer than")):
        path.write_bytes(data)
        done = tool("package", "show", path)
        assert done.status == 1 and text in done.err and str(path) in done.err
    path.write_bytes(cbor2.dumps([1, {"a": b"b"}, [2, [3]]], canonical=True))
    assert "A module refuses it" in tool.ok("package", "show", path).out


def test_nobody_is_asked_over_the_network(tool, folder):
    """No socket is made by any of these commands, so none of them needs a network. A sanitizer cannot look for
    leaks while something traces the program."""
    env = tool.env | {"ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + ":detect_leaks=0"}
    tool.ok(*build_words(folder))
    log = folder / "strace.log"
    for words in (build_words(folder), ["package", "sign", "--key", folder / "other.pem", folder / "fw.suit"],
                  ["package", "verify", "--key", folder / "key.pub", folder / "fw.suit"],
                  ["package", "show", folder / "fw.suit"], ["key", "show", folder / "key.pem"]):
        command = ["strace", "-f", "-e", "trace=execve,socket", "-o", log, tool.program, *map(str, words)]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)
        calls = log.read_text()
        assert "execve(" in calls and "socket(" not in calls, words
