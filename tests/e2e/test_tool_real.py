# SPDX-License-Identifier: Apache-2.0
"""`atfota module` with the real module: sessions that end well, badly, and by Ctrl-C."""

import os
import signal
import threading
import time

import pytest

from lib import faults
from lib.tool import Tool
from lib.world import MIB, MODEL, OEM, PRODUCT, SECRET, TARGET


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path, ATFOTA_PRODUCT_SECRET=SECRET)


def words(module, *more):
    values = {"--oem": OEM, "--model": MODEL, "--product": PRODUCT, "--target": TARGET}
    values |= dict(zip(more[::2], more[1::2]))
    return ["module", "upgrade", "--port", str(module.link)] + [word for pair in values.items() for word in pair]


@pytest.fixture
def module(mini):
    mini.publish(2 * MIB)
    return mini.module()


def settings(tool, module):
    """What the line is left with."""
    return [tool.ok("module", "at", command, "--port", module.link).out for command in ("AT+CMEE?", "AT+CAPFOTA?")]


@pytest.mark.release
def test_an_upgrade_ends_with_0_and_leaves_the_line_as_it_was(tool, mini, module):
    before = tool.ok("module", "at", "AT+CMEE?", "--port", module.link).out
    done = tool(*words(module))
    assert done.status == 0 and "+CSCFOTA: 2" in done.out and "+CSCFOTA: 3" in done.out, done
    assert mini.slot_holds(module, mini.image)
    assert settings(tool, module)[0] == before


@pytest.mark.parametrize("option, value, status, code", [
    ("--target", "V9.99", 5, 5),
    ("--product", "999", 2, 402),
    ("--product", "12a", 2, 302),
    ("--model", "x" * 65, 2, 302),
])
def test_what_a_module_says_decides_the_status(tool, module, option, value, status, code):
    done = tool(*words(module, option, value))
    assert done.status == status and f"code {code}" in done.err, done


def test_a_server_that_is_not_there_is_worth_a_retry(tool, mini):
    module = mini.module(server="http://127.0.0.1:1")
    done = tool(*words(module))
    assert done.status == 3 and "code 503" in done.err, done


def test_two_hosts_on_two_ports_the_second_is_refused(tool, mini):
    mini.publish()
    module = mini.module(ports=2)
    go_on = threading.Event()
    mini.net.rule("package", faults.stall(go_on), 1, 1)
    first = tool.start(*words(module))
    while not mini.packages():
        time.sleep(0.01)
    second = tool("module", "upgrade", "--port", module.links[1], *words(module)[4:])
    os.kill(first.pid, signal.SIGINT)
    cancelled = tool.finish(first)
    go_on.set()
    assert second.status == 3 and "code 308" in second.err, second
    assert cancelled.status == 6, cancelled


def test_ctrl_c_cancels_and_the_next_run_goes_on(tool, mini, module):
    mini.net.rule("package", faults.body(cut_after=MIB, end="stall"), 1, 1)
    process = tool.start(*words(module, "--timeout", "30"))
    while not mini.packages() or mini.packages()[0].sent < MIB:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    done = tool.finish(process)
    assert done.status == 6 and "+CSCFOTA: 307" in done.out, done
    assert settings(tool, module)[0] == "+CMEE: 0\nOK\n"
    done = tool(*words(module))
    assert done.status == 0, done
    assert mini.packages()[-1].start > 0
    assert mini.slot_holds(module, mini.image)


def test_a_module_that_is_killed_is_told(tool, mini, module):
    mini.net.rule("package", faults.stall(), 1, 1)
    process = tool.start(*words(module))
    while not mini.packages():
        time.sleep(0.01)
    module.kill9()
    done = tool.finish(process)
    assert done.status == 4 and "port closed" in done.err, done


def test_it_is_progress_that_is_shown(tool, module):
    done = tool(*words(module))
    assert "Download 100 %  2.1 MB of 2.1 MB" in done.out, done
