# SPDX-License-Identifier: Apache-2.0
"""Programs that dial, and scripts that ask a modem: they set up in one line that has to be OK as a
whole, send one character after the other, and look for the words of real modules."""

import subprocess

import pytest

from lib.programs import PATH, needs
from test_pty import Raw

WVDIAL = b"ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\r"
PERL = b"+++AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0\r"  # Device::Modem
MGETTY = b"ATQ0V1H0\r"


def shown(words, env_path=PATH, limit_s=25.0):
    """The output of a program that is ended after a while if it does not end."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=limit_s, env={"PATH": env_path, "HOME": "/nonexistent", "LC_ALL": "C"})
        return done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace")


@pytest.mark.parametrize("opening", [WVDIAL, PERL, MGETTY], ids=["wvdial", "Device::Modem", "mgetty"])
def test_what_a_program_sets_up_before_it_dials_is_ok(mini, opening):
    module = mini.module()
    with Raw(module.link) as host:
        host.write(b"\r" * 10 + b"ATZ\r")
        host.until(b"OK\r\n")
        host.write(opening)
        assert host.until(b"OK\r\n").endswith(b"\r\r\nOK\r\n")
        host.write(b"ATDT*99#\r")
        assert host.until(b"CARRIER\r\n") == b"ATDT*99#\r\r\nNO CARRIER\r\n"


def test_wvdial_comes_to_dialling(mini, tmp_path):
    needs("wvdial")
    module = mini.module()
    config = tmp_path / "wvdial.conf"
    config.write_text(f"[Dialer Defaults]\nModem = {module.link}\nBaud = 115200\nInit2 = {WVDIAL.decode().strip()}\n"
                      "Phone = *99#\nUsername = a\nPassword = b\nDial Attempts = 1\n")
    told = shown(["wvdial", "--config", str(config)], limit_s=15)
    assert "Modem initialized" in told and "No Carrier" in told, told


def test_comgt_finds_a_registered_module(mini):
    """One character per 50 ms."""
    needs("comgt")
    module = mini.module()
    told = shown(["comgt", "-d", str(module.link)])
    for text in ("SIM ready", 'Registered on Home network: "CHN-UNICOM",7', "Signal Quality: 22,0"):
        assert text in told, told
