# SPDX-License-Identifier: Apache-2.0
"""`atfota module install`, `confirm` and `roll-back` with the real module."""

import pytest

from lib.tool import Tool
from lib.world import SECRET, TARGET


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path, ATFOTA_PRODUCT_SECRET=SECRET)


@pytest.fixture
def ready(mini):
    """A module with a verified package."""
    module, host = mini.ready(size=64 * 1024)
    assert mini.run(host) == [2, 3]
    host.close()
    return module


def state(tool, module):
    return tool.ok("module", "at", "AT+FOTASTATE?", "--port", module.link).out.split(": ")[1][0]


def act(tool, module, *words):
    return tool("module", *words, "--port", str(module.link))


@pytest.mark.release
def test_what_is_ready_is_installed_and_kept(tool, ready):
    done = act(tool, ready, "install")
    assert done.status == 0 and TARGET in done.out and "on trial" in done.out, done
    assert state(tool, ready) == "6"
    kept = act(tool, ready, "confirm")
    assert kept.status == 0 and TARGET in kept.out and "on trial" not in kept.out, kept
    assert state(tool, ready) == "0"
    assert TARGET in tool.ok("module", "at", "AT+CGMR", "--port", ready.link).out


def test_installing_and_keeping_is_one_command(tool, ready):
    done = act(tool, ready, "install", "--confirm", "--json")
    assert done.status == 0 and done.json == {
        "status": 0, "code": 0, "on_trial": False, "text": "the new version runs"}, done
    assert state(tool, ready) == "0"


def test_going_back_is_what_was_asked_for(tool, ready):
    assert act(tool, ready, "install").status == 0
    done = act(tool, ready, "roll-back")
    assert done.status == 0 and done.err == "", done
    assert TARGET not in tool.ok("module", "at", "AT+CGMR", "--port", ready.link).out


def test_a_damaged_image_is_told_with_its_code(tool, ready):
    slot = ready.state / "slot-b"
    data = bytearray(slot.read_bytes())
    data[1000] ^= 1
    slot.write_bytes(data)
    done = act(tool, ready, "install")
    assert done.status == 2 and "306" in done.err, done
    assert TARGET not in tool.ok("module", "at", "AT+CGMR", "--port", ready.link).out


@pytest.mark.parametrize("word, text", [
    ("install", "atfota module upgrade"), ("confirm", "no version is on trial"), ("roll-back", "no version is on trial")])
def test_nothing_to_install_or_to_keep_is_refused_with_the_next_step(tool, mini, word, text):
    done = act(tool, mini.module(), word)
    assert done.status == 2 and text in done.err, done


def test_what_is_refused_in_between_says_what_comes_first(tool, ready):
    done = act(tool, ready, "confirm")
    assert done.status == 3 and "atfota module install" in done.err, done
    assert act(tool, ready, "install").status == 0
    done = act(tool, ready, "install")
    assert done.status == 2 and "atfota module confirm" in done.err, done


def test_a_module_that_does_not_come_back_is_told_in_time(tool, ready):
    ready.process.send_signal(19)  # stopped
    try:
        done = act(tool, ready, "install", "--timeout", "1")
    finally:
        ready.process.send_signal(18)
    assert done.status == 4 and "does not answer" in done.err, done
