# SPDX-License-Identifier: Apache-2.0
"""The example hosts, each against every ready-made rehearsal: they retry what is worth
it, go on from a part, are content with E, and stop at X with the advice."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT
from lib.codes import CODES
from lib.module import Module
from test_rehearsal import FILES, sees

PARAMETERS = ["SIMCOM", "7600M21", "1540907004", "V2.00"]
ENV = dict(os.environ, PRODUCT_SECRET="f9bbb0d76f894da090b6b69253616561", PYTHONDONTWRITEBYTECODE="1")
ADVICE = dict(re.findall(r'ROW\(\w+,\s+(\d+),\s+[PERX],\s+"[^"]*",\s+"([^"]*)"\)',
                         re.sub(r"\\\n\s*", " ", (ROOT / "core/include/fota/code.h").read_text())))


def expected(path):
    """(codes that are seen, exit status, final code) of a host that does it right."""
    codes = []
    for words in sees(path):
        refused = words[0] == "refused"
        numbers = [int(word) for word in words if word.isdigit()]
        if not refused:
            codes += numbers
        kind = "R" if words[-1] == "restart" else CODES[numbers[-1]][1]
        if kind != "R":
            return codes, 1 if kind == "X" else 0, numbers[-1]
    raise AssertionError(f"{path} has no end")


def c_host(build, link):
    return [str(build / "examples/host-c-upgrade"), str(link), *PARAMETERS, "12", "40"]


def python_host(build, link):
    return [sys.executable, str(ROOT / "examples/host-python/upgrade.py"), str(link), *PARAMETERS, "--tries", "12",
            "--pause", "0.04"]


class Play:
    """One example with a module of its own, running."""

    def __init__(self, atfotad, folder, path, words):
        self.module = Module(atfotad, folder, "")
        self.module.arguments = lambda: [self.module.program, "--pty", str(self.module.link), "--rehearse", str(path)]
        self.module.start()
        self.host = subprocess.Popen(words(self.module.link), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, env=ENV)

    def finish(self):
        try:
            out, _ = self.host.communicate(timeout=40)
        finally:
            self.host.kill()
            self.module.stop()
        assert not self.module.complaints()
        return self.host.returncode, out


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_examples_do_what_each_code_asks_for(path, atfotad, build, tmp_path):
    hosts = {"c": c_host, "python": python_host}
    plays = {name: Play(atfotad, tmp_path / name, path, lambda link, make=make: make(build, link))
             for name, make in hosts.items()}
    codes, status, last = expected(path)
    for name, (found, out) in [(name, play.finish()) for name, play in plays.items()]:
        assert found == status, f"{name}: status {found}\n{out}"
        assert [int(code) for code in re.findall(r"^code (\d+)", out, re.MULTILINE)] == codes, f"{name}\n{out}"
        if status:
            assert f"stop: {last} " in out and ADVICE[str(last)] in out, f"{name}\n{out}"
        for part in re.findall(r"code 4.*\ncode \d+.*\n(again.*)", out):
            assert "from the part that is stored" in part


def test_the_examples_give_up_in_the_end(atfotad, build, tmp_path):
    path = tmp_path / "never.ini"
    path.write_text("[session *]\nend = 503\ncheck = 10\n")
    for name, make in {"c": c_host, "python": python_host}.items():
        words = [("3" if word == "12" else word) for word in make(build, "LINK")]
        play = Play(atfotad, tmp_path / name, path, lambda link: [str(link) if w == "LINK" else w for w in words])
        status, out = play.finish()
        assert status == 2 and out.count("code 503") == 3, out


def test_the_examples_know_the_codes_of_the_project():
    place = ROOT / "examples/host-python/fota_codes.py"
    spec = importlib.util.spec_from_file_location("fota_codes", place)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    assert module.CODES == {code: (kind, text, ADVICE[str(code)]) for code, (_, kind, text) in CODES.items()}
