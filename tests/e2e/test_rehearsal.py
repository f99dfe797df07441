# SPDX-License-Identifier: Apache-2.0
"""Rehearsals: every ready-made file is played over a real PTY, and does what it says."""

import re
import subprocess
import time

import pytest

from conftest import ROOT
from lib import faults
from lib.codes import CODES
from lib.host import Host
from lib.module import Module
from lib.programs import wait_for

FILES = sorted((ROOT / "module/rehearsals").glob("*.ini"))
COMMAND = 'AT+CSCFOTA="SIMCOM","7600M21","1540907004","f9bbb0d76f894da090b6b69253616561","V2.00"'
# Codes that the command itself can be refused with (docs/result codes).
REFUSALS = {301, 302, 303, 308, 401, 403, 404}


@pytest.fixture
def seen_codes():
    """What is rehearsed was not caused: it does not count for test_last.py."""
    return set()


def sees(path):
    """What the file says that the host sees: a list of words per command."""
    line = re.search(r"^; sees: (.*)$", path.read_text(), re.MULTILINE)
    return [part.split() for part in line[1].split("/")]


class Stage:
    """A module that rehearses, and a host on it."""

    def __init__(self, atfotad, folder, seen, *words):
        self.module = Module(atfotad, folder, "", options=words, identity=[], limits=[])
        self.module.arguments = lambda: [self.module.program, "--pty", str(self.module.link), *words]
        self.module.start()
        self.host = Host(self.module.link, seen)

    def __enter__(self):
        self.host.settle()
        self.host.ok("AT+CMEE=1")
        return self

    def __exit__(self, *_):
        self.host.close()
        self.module.stop()
        assert not self.module.complaints()

    def play(self, words):
        """One command, and what comes of it; fails if it is not `words`."""
        self.host.ok("AT+CAPFOTA=1")
        if words[0] == "refused":
            assert self.host.refused(COMMAND) == f"+CME ERROR: {words[1]}"
            if words[1] == "308":
                time.sleep(1)  # the other session
            return
        self.host.ok(COMMAND)
        codes = [int(word) for word in words if word != "restart"]
        if words[-1] != "restart":
            assert self.host.codes() == codes
            return
        shown = self.host.lines_until(r"PB DONE")
        assert [line for line in shown if "CSCFOTA" in line] == [f"+CSCFOTA: {code}" for code in codes]
        self.host.settle()
        self.host.ok("AT+CMEE=1")


def test_there_is_a_file_for_every_code_and_every_refusal():
    names = {path.stem for path in FILES}
    assert {str(code) for code in CODES} | {f"{code}-refused" for code in REFUSALS} <= names
    for path in FILES:
        code = path.stem.removesuffix("-refused")
        if code.isdigit() and code not in "2 4":
            assert any(code in words for words in sees(path)), path


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_plays_what_it_says(path, atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", str(path)) as stage:
        for words in sees(path):
            stage.play(words)


@pytest.mark.parametrize("word", ["306", "303-refused", "507", "restart"])
def test_a_word_plays_the_same_as_its_file(word, atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", word) as stage:
        for words in sees(ROOT / f"module/rehearsals/{word}.ini"):
            stage.play(words)


def test_progress_is_seen_on_the_way_to_the_end(atfotad, tmp_path, seen_codes):
    path = tmp_path / "slow.ini"
    path.write_text("[session 1]\nend = 511\nsize = 100000\nreceived = 60\ncheck = 100\ndownload = 4000\n")
    with Stage(atfotad, tmp_path / "m", seen_codes, "--rehearse", str(path)) as stage:
        host = stage.host
        host.ok("AT+FOTAPROG=1")
        host.ok("AT+CAPFOTA=1")
        host.ok(COMMAND)
        assert host.state()[0] == 1
        lines = host.lines_until(r"\+CSCFOTA: 511")
        shown = [int(n) for n in re.findall(r"\+FOTAPROG: (\d+),100000", "\n".join(lines))]
        assert shown == sorted(shown) and len(shown) >= 3 and shown[-1] == 60000
        assert "+CSCFOTA: 4" in lines
        state = host.state()
        assert state[:3] == (0, 60000 // 4096 * 4096, 100000) and state[3] == "V2.00"


def test_commands_that_the_module_refuses_by_itself_use_no_session(atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", "5") as stage:
        assert stage.host.refused(COMMAND) == "+CME ERROR: 303"
        stage.host.ok("AT+CAPFOTA=1")
        assert stage.host.refused(COMMAND.replace("1540907004", "x")) == "+CME ERROR: 302"
        stage.play(["5"])
        stage.play(["2", "3"])


def test_a_check_meets_what_the_session_will_and_does_not_use_it_up(atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", "503") as stage:
        stage.host.ok("AT+CAPFOTA=1")
        for _ in range(2):
            stage.host.ok(COMMAND.replace("CSCFOTA", "FOTACHECK"))
            assert stage.host.codes() == [503]
        stage.play(["503"])
        stage.host.ok(COMMAND.replace("CSCFOTA", "FOTACHECK"))
        assert stage.host.lines_until(r"\+FOTACHECK: .*")[-1] == '+FOTACHECK: "V2.00",65536,0'
        stage.play(["2", "3"])


def test_a_module_may_restart_behind_its_final_code(atfotad, tmp_path, seen_codes):
    path = tmp_path / "restart.ini"
    path.write_text("[module]\nboot = 900\n[session 1]\nend = 5\nrestart = 100\n")
    with Stage(atfotad, tmp_path / "m", seen_codes, "--rehearse", str(path)) as stage:
        begun = time.monotonic()
        stage.play(["5", "restart"])
        assert time.monotonic() - begun >= 1
        assert stage.host.last()[0] == 5, "the end is remembered"
        assert stage.host.ok("AT+CAPFOTA?") == ["+CAPFOTA: 0"]
        stage.play(["2", "3"])


def test_sigterm_ends_a_rehearsed_session_as_a_real_one(atfotad, tmp_path, seen_codes):
    path = tmp_path / "slow.ini"
    path.write_text("[session 1]\nend = 3\ndownload = 20000\n")
    with Stage(atfotad, tmp_path / "m", seen_codes, "--rehearse", str(path)) as stage:
        stage.host.ok("AT+CAPFOTA=1")
        stage.host.ok(COMMAND)
        assert stage.host.codes(until=2) == [2]
        while stage.host.state()[1] < 8192:
            time.sleep(0.05)
        stage.module.process.terminate()
        assert stage.host.codes() == [4, 508]
        assert stage.module.wait() == 0


def test_the_secret_is_in_no_log(atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", "4", "--log-level", "debug") as stage:
        stage.play(["2", "4", "513"])
        assert "f9bbb0d76f894da0" not in stage.module.log.read_text()


@pytest.mark.parametrize("words,text", [
    (["--rehearse", "999"], "501 to 514"),
    (["--rehearse", "no-such-file"], "No such file"),
    (["--rehearse", "306", "--server", "http://127.0.0.1:1"], "leave --server out"),
    (["--rehearse", "306", "--fault", "slot.prog=io"], "rehearse 304"),
    (["--bad-line", "loose=4"], "a line has"),
])
def test_wrong_usage_is_told(words, text, atfotad):
    done = subprocess.run([str(atfotad), "--stdio", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 64
    assert text in done.stderr


def answers(host, command, count, limit_s):
    """How many of `count` commands were answered with OK in time."""
    found = 0
    for _ in range(count):
        begun = len(host.transcript)
        host.write(command)
        end = time.monotonic() + limit_s
        while time.monotonic() < end and not any(text.endswith("< OK") for text in host.transcript[begun:]):
            host._read()
        found += any(text.endswith("< OK") for text in host.transcript[begun:])
    return found


@pytest.mark.parametrize("line,least,most,limit_s", [
    ("seed=1", 40, 40, 9), ("lose=1500,twice=500,seed=1", 4, 36, 0.1), ("lose=10000,seed=1", 0, 0, 0.1)])
def test_what_a_line_loses_is_missed_and_no_more(line, least, most, limit_s, atfotad, tmp_path):
    module = Module(atfotad, tmp_path, "")
    module.arguments = lambda: [module.program, "--pty", str(module.link), "--rehearse", "3", "--bad-line", line]
    module.start()
    host = Host(module.link)
    assert least <= answers(host, b"AT\r", 40, limit_s) <= most, host.story()
    host.close()
    module.stop()
    assert not module.complaints()


def test_a_cut_line_restarts_the_module_once(atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", "3", "--bad-line", "cut_after=200") as stage:
        for _ in range(40):
            stage.host.write(b"AT\r")
            time.sleep(0.005)
        stage.host.lines_until("PB DONE")
        stage.host.settle()
        stage.host.ok("AT+CMEE=1")
        stage.play(["2", "3"])


def test_a_cut_line_restarts_a_real_module_in_order(mini):
    _, host = mini.ready("--bad-line", "cut_after=420", "--log-level", "info", size=8 << 20)
    mini.net.rule("package", faults.body(cut_after=4 << 20, end="stall"))
    mini.begin(host)
    assert host.codes(until=2) == [2]
    wait_for(lambda: mini.packages()[0].sent >= 4 << 20, "part")
    host.write(b"AT+CLAC\r")
    shown = host.lines_until("PB DONE")
    at = shown.index("+CSCFOTA: 4")
    assert shown[at:at + 2] == ["+CSCFOTA: 4", "+CSCFOTA: 508"]
    assert "OK" not in shown, "cut in the middle of the answer"
    host.settle()
    assert host.last()[:2] == (508, CODES[508][2])
    assert host.state()[1] > 0, "the part is kept"
    mini.net.clear()
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [2, 3]


# ---- installation ----

RESULT = r'\+FOTARESULT: (\d+),"REHEARSAL_V1.00","V2.00"'


def ready(stage):
    stage.host.ok("AT+CAPFOTA=1")
    stage.host.ok(COMMAND)
    assert stage.host.codes() == [2, 3]


def results(stage, count):
    return [re.fullmatch(RESULT, stage.host.lines_until(RESULT, 15)[-1])[1] for _ in range(count)]


@pytest.mark.parametrize("code,seen", [("0", ["0"]), ("1", ["1"]), ("306", ["306"]), ("508", ["0", "508"]),
                                       ("509", ["0", "509"])])
def test_results_of_an_installation_are_played(atfotad, tmp_path, seen_codes, code, seen):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", f"install-{code}") as stage:
        ready(stage)
        stage.host.ok("AT+FOTAINSTALL")
        assert results(stage, len(seen)) == seen
        stage.host.settle()
        runs = "V2.00" if code == "0" else "REHEARSAL_V1.00"
        assert stage.host.ok("AT+CGMR") == [f"+CGMR: {runs}"]
        if code != "0":  # the next session is as any other
            ready(stage)


def test_a_rehearsed_version_is_given_up_or_kept(atfotad, tmp_path, seen_codes):
    with Stage(atfotad, tmp_path, seen_codes, "--rehearse", "install-0") as stage:
        ready(stage)
        stage.host.ok("AT+FOTAINSTALL")
        assert results(stage, 1) == ["0"]
        stage.host.settle()
        stage.host.ok("AT+FOTACONFIRM=0")
        assert results(stage, 1) == ["307"]
        stage.host.settle()
        ready(stage)
        stage.host.ok("AT+FOTAINSTALL")
        assert results(stage, 1) == ["0"]
        stage.host.settle()
        stage.host.ok("AT+FOTACONFIRM=1")
        stage.host.ok("AT+CRESET")
        stage.host.lines_until("PB DONE")
        stage.host.settle()
        assert stage.host.ok("AT+CGMR") == ["+CGMR: V2.00"]
