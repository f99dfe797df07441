# SPDX-License-Identifier: Apache-2.0
"""AT+FOTACFG: settings that a host makes, and that stay."""

import pytest

from lib import faults

ALL = ["server", "codes", "retries", "retry-base", "retry-max", "autoinstall", "autoconfirm", "trialtime",
       "trialboots", "window"]


def listed(host):
    lines = host.ok("AT+FOTACFG?")
    assert [line.split('"')[1] for line in lines] == ALL, lines
    return {line.split('"')[1]: line.split('"')[3] for line in lines}


def test_without_settings_the_options_count(mini):
    module = mini.module()
    assert listed(mini.host(module)) == {
        "server": mini.net.url, "codes": "origin", "retries": "1", "retry-base": "20", "retry-max": "50",
        "autoinstall": "0", "autoconfirm": "0", "trialtime": "600", "trialboots": "3", "window": ""}
    assert not (module.state / "settings").exists()


@pytest.mark.parametrize("how", ["sigterm", "kill9", "AT+CRESET"])
def test_settings_stay_over_a_restart(mini, how):
    mini.publish()
    module = mini.module(server="http://127.0.0.1:1")
    host = mini.host(module)
    host.ok(f'AT+FOTACFG="server","{mini.net.url}"')
    host.ok('AT+FOTACFG="retries","0"')
    if how.startswith("AT"):
        host.ok(how)
        host.lines_until("PB DONE")
        host.settle()
    else:
        getattr(module, how)()
        module.start()
        host = mini.host(module)
    host.ok("AT+CAPFOTA=1")
    assert (listed(host)["server"], listed(host)["retries"]) == (mini.net.url, "0")
    assert mini.run(host) == [2, 3]


def test_an_empty_value_is_the_default(mini):
    module = mini.module()
    host = mini.host(module)
    host.ok('AT+FOTACFG="retry-max","3000"')
    assert host.ok('AT+FOTACFG="retry-max"') == ['+FOTACFG: "retry-max","3000"']
    assert (module.state / "settings").read_text() == "retry-max = 3000\n"
    host.ok('AT+FOTACFG="retry-max",""')
    assert listed(host)["retry-max"] == "50"


def test_retries_count_from_the_next_session_on(mini):
    _, host = mini.ready()
    mini.net.rule("check", faults.status(503))
    for retries in (0, 3):
        host.ok(f'AT+FOTACFG="retries","{retries}"')
        before = len(mini.net.entries("check"))
        assert mini.run(host) == [504]
        assert len(mini.net.entries("check")) - before == retries + 1


def test_codes_go_to_all_ports_if_set(mini):
    mini.publish()
    module = mini.module(ports=2)
    host, other = mini.host(module), mini.host(module, port=1)
    other.ok('AT+FOTACFG="codes","all"')
    assert mini.run(host) == [2, 3]
    assert other.codes() == [2, 3]
    other.ok('AT+FOTACFG="codes","origin"')
    assert mini.run(host) == [2, 3]
    other.quiet()


def test_a_session_that_runs_keeps_its_settings(mini):
    _, host = mini.ready()
    mini.net.rule("check", faults.delay(3))
    host.ok("AT+CMEE=1")
    mini.begin(host)
    assert host.refused('AT+FOTACFG="retries","1"') == "+CME ERROR: 308"
    host.ok("AT+FOTACANCEL")
    assert host.codes() == [307]
    host.ok('AT+FOTACFG="retries","1"')


@pytest.mark.parametrize("name,value,answer", [
    ("server", "ftp://x", "+CME ERROR: 501"), ("server", "http://", "+CME ERROR: 501"),
    ("server", "https://a b", "+CME ERROR: 501"), ("codes", "some", "ERROR"), ("retries", "1001", "ERROR"),
    ("retries", "-1", "ERROR"), ("retry-base", "0", "ERROR"), ("colour", "1", "+CME ERROR: 22"),
])
def test_what_is_not_allowed_changes_nothing(mini, name, value, answer):
    module = mini.module()
    host = mini.host(module)
    host.ok("AT+CMEE=1")
    before = listed(host)
    assert host.refused(f'AT+FOTACFG="{name}","{value}"') == answer
    assert listed(host) == before
    assert not (module.state / "settings").exists()


def test_plain_http_is_a_setting_only_where_it_is_allowed(mini):
    module = mini.module(plain=False)
    host = mini.host(module)
    host.ok("AT+CMEE=1")
    assert host.refused('AT+FOTACFG="server","http://127.0.0.1:1"') == "+CME ERROR: 501"
    host.ok('AT+FOTACFG="server","https://127.0.0.1:1"')


def test_a_setting_that_cannot_be_written_is_not_made(mini):
    module = mini.module()
    host = mini.host(module)
    (module.state / "settings.new").mkdir()
    host.ok("AT+CMEE=1")
    before = listed(host)
    assert host.refused('AT+FOTACFG="retries","7"') == "+CME ERROR: 23"
    assert listed(host) == before


def test_a_damaged_file_does_not_keep_the_module_from_starting(mini):
    module = mini.module()
    module.sigterm()
    (module.state / "settings").write_bytes(b"retries = many\ncolour = red\n\xff\n" + b"x" * 5000 + b"\nretry-base = 77\n")
    module.start()
    host = mini.host(module)
    assert (listed(host)["retries"], listed(host)["retry-base"]) == ("1", "77")
