# SPDX-License-Identifier: Apache-2.0
"""gammu: an ESC first, one character a millisecond, and it wants to see its echo. gnokii,
which shares its ancestors."""

import os
import subprocess

import pytest

from lib.programs import needs


@pytest.fixture
def gammu(mini, tmp_path):
    """Runs gammu with these words; gives its output."""
    needs("gammu")
    module = mini.module()
    config = tmp_path / "gammurc"
    config.write_text(f"[gammu]\ndevice = {module.link}\nconnection = at115200\n")

    def run(*words):
        done = subprocess.run(["gammu", "-c", str(config), *words], capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    return run


def test_gammu_identifies_the_module(gammu):
    shown = gammu("identify")
    for text in ("SIMCOM INCORPORATED", "7600M21", "V1.00", "860000000000019", "460010123456789"):
        assert text in shown, shown


def test_gammu_reads_the_clock(gammu):
    assert "Phone time is" in gammu("getdatetime")


def test_gnokii_identifies_the_module(mini, tmp_path):
    needs("gnokii")
    module = mini.module()
    port = os.path.realpath(module.link)  # it cuts long names
    (tmp_path / "config").write_text(f"[global]\nport = {port}\nmodel = AT\nconnection = serial\n"
                                     "use_locking = no\n")
    done = subprocess.run(["gnokii", "--config", str(tmp_path / "config"), "--identify"], capture_output=True,
                          text=True, timeout=30, env=dict(os.environ, HOME=str(tmp_path)))
    for text in ("SIMCOM INCORPORATED", "7600M21", "V1.00", "860000000000019"):
        assert text in done.stdout, done.stdout + done.stderr
