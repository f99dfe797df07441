# SPDX-License-Identifier: Apache-2.0
"""Terminal programs: a person types the two commands and sees the session end."""

import pytest

from lib.links import closed_port
from lib.programs import Terminal, needs

PROGRAMS = {
    "picocom": ["picocom", "--noreset", "--baud", "115200"],
    "minicom": ["minicom", "--noinit", "--baudrate", "115200", "--color=off", "--device"],
    "tio": ["tio", "--baudrate", "115200"],
    "microcom": ["microcom", "-f", "-s", "115200", "-p"],
}
READY = {"picocom": rb"Terminal ready", "minicom": rb"Press CTRL-A Z", "tio": rb"[Cc]onnected",
         "microcom": rb"get to the prompt"}
LEAVE = {"picocom": b"\x01\x18", "minicom": b"\x01q", "tio": b"\x14q", "microcom": b"\x1c"}
SURE = {"minicom": (rb"Leave", "\r"), "microcom": (rb"-> ", "quit\r")}  # what they ask, and the answer


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_person_upgrades_a_module(mini, tmp_path, name):
    needs(name)
    module, host = mini.ready()
    host.close()
    with Terminal([*PROGRAMS[name], str(module.link)], HOME=str(tmp_path)) as screen:
        screen.until(READY[name])
        screen.until_raw()
        screen.type("ATE1\r")
        screen.until(rb"OK")
        for line in ("AT+CAPFOTA=1", mini.command()):
            screen.type(line + "\r")
            screen.until(rb"OK")
        screen.until(rb"\+CSCFOTA: 2")
        screen.until(rb"\+CSCFOTA: 3")
        screen.type(LEAVE[name])
        if name in SURE:
            screen.until(SURE[name][0])
            screen.type(SURE[name][1])
        assert screen.wait() == 0
    assert mini.slot_holds(module, mini.image)


def test_microcom_upgrades_a_module_over_rfc2217(mini):
    needs("microcom")
    number = closed_port()
    mini.publish()
    module = mini.module("--tcp", f"127.0.0.1:{number},rfc2217")
    with Terminal(["microcom", "-t", f"127.0.0.1:{number}"]) as screen:
        screen.until(READY["microcom"])
        screen.until_raw()
        for line in ("AT", "AT+CAPFOTA=1", mini.command()):
            screen.type(line + "\r")
            screen.until(rb"OK")
        screen.until(rb"\+CSCFOTA: 3")
    assert mini.slot_holds(module, mini.image)


def test_the_echo_of_a_terminal_is_the_module_s_alone(mini):
    """What is typed is on the screen once."""
    needs("picocom")
    module = mini.module()
    with Terminal([*PROGRAMS["picocom"], str(module.link)]) as screen:
        screen.until(READY["picocom"])
        screen.until_raw()
        screen.type("AT+GMM\r")
        assert screen.until(rb"OK\r\n").count(b"AT+GMM") == 1
