# SPDX-License-Identifier: Apache-2.0
"""`atfota module` against modules that play a script."""

import os
import signal
import time

import pytest

from lib.codes import CODES
from lib.scripted_module import ERROR, OK, ScriptedModule, line
from lib.tool import Tool
from lib.world import MODEL, OEM, PRODUCT, SECRET, TARGET

COMMAND = rf'AT\+CSCFOTA="{OEM}","{MODEL}","{PRODUCT}","{SECRET}","{TARGET}"'
STATUS_OF_CLASS = {"P": 3, "E": 6, "R": 3, "X": 2}


@pytest.fixture
def tool(build, tmp_path):
    return Tool(build / "tool/atfota", tmp_path, ATFOTA_PRODUCT_SECRET=SECRET)


def words(module, *more):
    return ["module", "upgrade", "--port", module.port, "--oem", OEM, "--model", MODEL, "--product", PRODUCT,
            "--target", TARGET, *more]


def upgrade(tool, module, *more):
    return tool(*words(module, *more))


def status_of(code):
    return {3: 0, 5: 5}.get(code, STATUS_OF_CLASS[CODES[code][1]])


def test_an_upgrade_ends_with_0_and_shows_the_session_without_its_secret(tool):
    with ScriptedModule() as module:
        done = upgrade(tool, module, "--transcript")
    assert done.status == 0, done
    stars = "*" * len(SECRET)
    assert [text for text in done.out.splitlines() if text[:2] in ("> ", "< ")] == [
        "> AT", "< OK", "> AT+CMEE?", "< +CMEE: 2", "< OK", "> AT+CMEE=1", "< OK", "> AT+FOTAPROG=1", "< ERROR",
        "> AT+CAPFOTA=1", "< OK",
        f'> AT+CSCFOTA="{OEM}","{MODEL}","{PRODUCT}","{stars}","{TARGET}"', "< OK",
        "< +CSCFOTA: 2", "< +CSCFOTA: 3", "> AT+CMEE=2", "< OK",
    ]
    assert SECRET not in done.text
    assert module.count(COMMAND) == 1
    assert module.settings == {"CMEE": "2", "CAPFOTA": "1"}


@pytest.mark.parametrize("settings", [
    {"echo": True}, {"mute": 2}, {"noise": b"\xff\x00\r\n+CREG: 1\r\n"}, {"tcp": True}, {"pace": 0.2},
    {"echo": True, "mute": 1, "noise": b"\x00~\x80"},
], ids=lambda settings: "+".join(settings))
def test_an_upgrade_copes_with(tool, settings):
    with ScriptedModule(**settings) as module:
        done = upgrade(tool, module, "--transcript")
    assert done.status == 0, done
    assert SECRET not in done.text
    assert module.count(COMMAND) == 1
    assert module.settings["CMEE"] == "2"


@pytest.mark.parametrize("code", [code for code in CODES if code not in (2, 3, 4)])
def test_a_final_code_decides_the_exit_status(tool, code):
    with ScriptedModule() as module:
        module.codes = [2, 4, code]
        done = upgrade(tool, module)
    assert done.status == status_of(code), done
    assert CODES[code][2] in done.err
    assert module.settings["CMEE"] == "2"


@pytest.mark.parametrize("code", [302, 303, 308, 401, 403, 404])
def test_a_refusal_is_explained_by_its_code(tool, code):
    with ScriptedModule() as module:
        module.rule(COMMAND, line(f"+CME ERROR: {code}"))
        done = upgrade(tool, module)
    assert done.status == status_of(code), done
    assert f"code {code}, {CODES[code][2]}" in done.err


def test_a_refusal_without_a_reason_ends_with_4(tool):
    with ScriptedModule() as module:
        module.rule(COMMAND, ERROR)
        done = upgrade(tool, module)
    assert done.status == 4 and "ERROR" in done.err, done
    assert module.settings["CMEE"] == "2"


def test_a_module_without_the_service_ends_with_4(tool):
    with ScriptedModule() as module:
        module.rule(r"AT\+CAPFOTA.*", line("+CME ERROR: 4"))
        done = upgrade(tool, module)
    assert done.status == 4 and "not supported" in done.err, done
    assert not module.count("AT.CSCFOTA.*")


def test_a_final_code_in_front_of_ok_counts(tool):
    with ScriptedModule() as module:
        module.rule(COMMAND, line("+CSCFOTA: 2"), line("+CSCFOTA: 3"), OK)
        assert upgrade(tool, module).status == 0


def test_a_further_code_0_after_success_is_left_alone(tool):
    with ScriptedModule() as module:
        module.codes = [2, 3, 0]
        done = upgrade(tool, module, "--json")
    assert done.status == 0 and done.json["codes"] == [2, 3], done


def test_progress_is_shown_as_lines_and_switched_off_again(tool):
    with ScriptedModule() as module:
        module.rule(r"AT\+FOTAPROG=[01]", OK)
        module.rule(COMMAND, OK, line("+CSCFOTA: 2"), line("+FOTAPROG: 1000,4000"), line("+FOTAPROG: 4000,4000"),
                    line("+CSCFOTA: 3"))
        done = upgrade(tool, module)
        report = upgrade(tool, module, "--json").json
    assert done.status == 0 and "100 %  4.0 kB of 4.0 kB" in done.out, done
    assert module.count(r"AT\+FOTAPROG=1") == module.count(r"AT\+FOTAPROG=0") == 2
    assert (report["received"], report["total"], report["code"], report["status"]) == (4000, 4000, 3, 0)


def test_progress_is_a_bar_on_a_terminal(tool):
    master, slave = os.openpty()
    with ScriptedModule() as module:
        module.rule(r"AT\+FOTAPROG=[01]", OK)
        module.rule(COMMAND, OK, line("+FOTAPROG: 1000,4000"), 0.2, line("+FOTAPROG: 4000,4000"), line("+CSCFOTA: 3"))
        done = tool.finish(tool.start(*words(module), stdout=slave))
    shown = os.read(master, 100_000).decode()
    os.close(master)
    os.close(slave)
    assert done.status == 0, done
    assert f"\rDownload [{'#' * 7}{' ' * 23}]  25 %  1.0 kB of 4.0 kB" in shown
    assert f"[{'#' * 30}] 100 %" in shown
    assert shown.split("\033[K")[-1].startswith("+CSCFOTA: 3"), shown


def test_a_target_that_is_no_utf8_does_no_harm(tool):
    with ScriptedModule() as module:
        module.rule(r"AT\+CSCFOTA=.*", OK, line("+CSCFOTA: 5"))
        done = tool("module", "upgrade", "--port", module.port, "--oem", "O", "--model", "M", "--product", "1",
                    "--target", b"V\xff", "--json")
    assert done.status == 5 and done.json["code"] == 5 and "target" not in done.json, done


def test_a_silent_port_ends_with_4_in_bounded_time(tool):
    with ScriptedModule(mute=1000) as module:
        begun = time.monotonic()
        done = upgrade(tool, module)
    assert done.status == 4 and "no answer" in done.err, done
    assert time.monotonic() - begun < 15


def test_a_module_that_vanishes_ends_with_4(tool):
    with ScriptedModule() as module:
        module.rule(COMMAND, OK, 0.05, ScriptedModule.vanish)
        done = upgrade(tool, module)
    assert done.status == 4 and "port closed" in done.err, done


def test_a_tcp_module_that_vanishes_ends_with_4(tool):
    with ScriptedModule(tcp=True) as module:
        module.rule(COMMAND, OK, 0.05, ScriptedModule.vanish)
        assert upgrade(tool, module).status == 4


def test_a_module_that_restarts_is_worth_a_retry(tool):
    with ScriptedModule() as module:
        module.rule(COMMAND, OK, 0.05, line("RDY"), line("+CPIN: READY"))
        done = upgrade(tool, module)
    assert done.status == 3 and "restarted" in done.err, done


def interrupted(tool, module, signals=(signal.SIGINT,)):
    process = tool.start(*words(module))
    module.wait_for("AT.CSCFOTA.*")
    time.sleep(0.1)
    for number in signals:
        os.kill(process.pid, number)
        time.sleep(0.1)
    return tool.finish(process)


def test_ctrl_c_cancels_on_a_module_that_has_fotacancel(tool):
    with ScriptedModule() as module:
        module.codes = [2]
        module.rule(r"AT\+FOTACANCEL", OK, 0.05, line("+CSCFOTA: 307"))
        done = interrupted(tool, module)
    assert done.status == 6 and "307" in done.out, done
    assert not module.count(r"AT\+CAPFOTA=0")
    assert module.settings["CMEE"] == "2"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_on_a_module_that_has_the_two_commands_only(tool, number):
    with ScriptedModule() as module:
        module.codes = [2]
        module.rule(r"AT\+CAPFOTA=0", OK, 0.05, line("+CSCFOTA: 307"))
        done = interrupted(tool, module, [number])
    assert done.status == 6 and "307" in done.out, done
    assert module.settings["CMEE"] == "2"


def test_a_second_ctrl_c_ends_at_once(tool):
    with ScriptedModule() as module:
        module.codes = [2]
        begun = time.monotonic()
        done = interrupted(tool, module, [signal.SIGINT, signal.SIGINT])
    assert done.status == 6, done
    assert time.monotonic() - begun < 9, "it waited for the module"


def test_the_time_limit_cancels_and_is_worth_a_retry(tool):
    with ScriptedModule() as module:
        module.codes = [2]
        module.rule(r"AT\+FOTACANCEL", OK, 0.02, line("+CSCFOTA: 307"))
        done = upgrade(tool, module, "--timeout", "1")
    assert done.status == 3 and "time limit" in done.err, done


def test_quotes_and_backslashes_go_as_v250_escapes(tool):
    with ScriptedModule() as module:
        module.rule(r"AT\+CSCFOTA=.*", OK, line("+CSCFOTA: 5"))
        done = tool("module", "upgrade", "--port", module.port, "--oem", 'A"B', "--model", r"C\D", "--product", "1",
                    "--target", "ü;,", env={"ATFOTA_PRODUCT_SECRET": "x" * 16})
    assert done.status == 5, done
    assert r'AT+CSCFOTA="A\22B","C\5CD","1","xxxxxxxxxxxxxxxx","ü;,"' in module.heard


def test_an_echo_that_was_damaged_shows_nothing_of_the_secret(tool):
    with ScriptedModule() as module:
        module.rule(COMMAND, f'"{PRODUCT}","{SECRET[:20]}#{SECRET[21:]}","x"\r', OK, line("+CSCFOTA: 3"))
        done = upgrade(tool, module, "--transcript")
    assert done.status == 0, done
    assert SECRET[:8] not in done.text and SECRET[21:] not in done.text


def test_the_secret_comes_from_a_file_or_standard_input(tool, tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    for source, text in ((str(tmp_path / "secret"), None), ("-", SECRET + "\n")):
        with ScriptedModule() as module:
            done = tool(*words(module, "--secret-file", source), input=text, env={"ATFOTA_PRODUCT_SECRET": "wrong" * 5})
        assert done.status == 0 and module.count(COMMAND) == 1, done


def test_without_secret_and_terminal_the_ways_to_give_one_are_told(tool):
    with ScriptedModule() as module:
        done = tool(*words(module), env={"ATFOTA_PRODUCT_SECRET": ""})
    assert done.status == 1 and "--secret-file" in done.err and "ATFOTA_PRODUCT_SECRET" in done.err, done
    assert module.heard == []


def test_at_prints_the_answer(tool):
    with ScriptedModule(echo=True) as module:
        module.rule(r"AT\+CSQ", line("+CSQ: 22,0"), OK)
        done = tool("module", "at", "AT+CSQ", "--port", module.port)
        failed = tool("module", "at", "AT+NO", "--port", module.port)
    assert (done.status, done.out) == (0, "+CSQ: 22,0\nOK\n"), done
    assert failed.status == 4 and failed.out == "ERROR\n", failed


def test_at_gives_json(tool):
    with ScriptedModule() as module:
        assert tool("module", "at", "AT+CMEE?", "--port", module.port, "--json").json == {
            "status": 0, "lines": ["+CMEE: 2", "OK"]}


def test_at_waits_no_longer_than_told(tool):
    with ScriptedModule(mute=9) as module:
        begun = time.monotonic()
        done = tool("module", "at", "AT", "--port", module.port, "--timeout", "1")
    assert done.status == 4 and time.monotonic() - begun < 5, done


def test_at_takes_no_secret_as_an_argument(tool):
    with ScriptedModule() as module:
        command = f'AT+CSCFOTA="A","B","1","{SECRET}","V"'
        done = tool("module", "at", command, "--port", module.port)
        assert done.status == 1 and module.heard == [] and SECRET not in done.text, done
        assert tool("module", "at", "-", "--port", module.port, input=command + "\n").status == 4
    assert module.heard == [command]


@pytest.mark.parametrize("port", ["/dev/null", "/nowhere/at/all", "tcp:127.0.0.1", "tcp:127.0.0.1:1"])
def test_a_port_that_is_none_is_told(tool, port):
    done = tool("module", "at", "AT", "--port", port)
    assert done.status in (1, 4) and port in done.err, done


def test_a_port_in_use_is_told(tool):
    with ScriptedModule(mute=1000) as module:
        first = tool.start("module", "at", "AT", "--port", module.port, "--timeout", "5")
        module.wait_for("AT")
        second = tool("module", "at", "AT", "--port", module.port)
        first.terminate()
        tool.finish(first)
    assert second.status == 1 and "in use" in second.err, second
