# SPDX-License-Identifier: Apache-2.0
"""Result codes whose cause is in the module or its host: parameters, state of the
service, identity, storage, cancel, time limit, shutdown."""

import contextlib
import subprocess
import time

import pytest

from lib import faults, tls
from lib.codes import TEXT
from lib.host import CODE
from lib.links import BlackHole, closed_port
from lib.world import MIB, OEM, MODEL, PRODUCT, SECRET, TARGET

RATE = 400_000


def refused_with(host, line, code):
    """The refusal in all three modes of +CMEE; nothing else is said."""
    for mode, text in enumerate(("ERROR", f"+CME ERROR: {code}", f"+CME ERROR: {TEXT[code]}")):
        host.ok(f"AT+CMEE={mode}")
        assert host.refused(line) == text
    host.ok("AT+CMEE=0")
    host.quiet()


def line(*values):
    return "AT+CSCFOTA=" + ",".join(values)


def quoted(*values):
    return line(*(f'"{value}"' for value in values))


GOOD = (OEM, MODEL, PRODUCT, SECRET, TARGET)


def replaced(at, value):
    return quoted(*(value if i == at else good for i, good in enumerate(GOOD)))


BAD_PARAMETERS = {
    "no OEM": replaced(0, ""),
    "OEM too long": replaced(0, "o" * 65),
    "no model": replaced(1, ""),
    "model too long": replaced(1, "m" * 65),
    "no product": replaced(2, ""),
    "product too long": replaced(2, "1" * 21),
    "product with a letter": replaced(2, "15409O7004"),
    "product with a sign": replaced(2, "-1540907004"),
    "no secret": replaced(3, ""),
    "secret too short": replaced(3, "s" * 15),
    "secret too long": replaced(3, "s" * 65),
    "secret with a space": replaced(3, "f9bbb0d76f894da0 0b6b69253616561"),
    "secret with a quote": replaced(3, "f9bbb0d76f894da0\\220b6b6925361656"),
    "secret with a control character": replaced(3, "f9bbb0d76f894da0\\0Ab6b6925361656"),
    "no target": replaced(4, ""),
    "target too long": replaced(4, "v" * 129),
    "a parameter missing": quoted(*GOOD[:4]),
    "a parameter left out": line('"a"', "", *(f'"{value}"' for value in GOOD[2:])),
    "a parameter too many": quoted(*GOOD, "x"),
    "unquoted": line(*GOOD),
    "typographic quotes": line(*(f"\u201d{value}\u2033" for value in GOOD)),
    "a zero octet": replaced(4, "V2\\00"),
    "no UTF-8": replaced(4, "V2\\FF"),
    "an OEM cut in a character": replaced(0, "caf\\C3"),
}


def test_bad_parameters_are_refused_with_302(mini):
    _, host = mini.ready()
    for text in BAD_PARAMETERS.values():
        host.note(text[:80])
        refused_with(host, text, 302)
    assert not mini.net.entries(), "a refused command asked the platform"
    assert mini.run(host) == [2, 3]


def test_a_command_while_the_service_is_off_is_refused_with_303(mini):
    mini.publish()
    host = mini.host(mini.module(), on=False)
    assert host.ok("AT+CAPFOTA?") == ["+CAPFOTA: 0"]
    refused_with(host, mini.command(), 303)
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [2, 3]
    host.ok("AT+CAPFOTA=0")
    refused_with(host, mini.command(), 303)


def test_a_second_command_is_refused_with_308_from_each_port(mini):
    module, host = mini.ready(ports=2)
    other = mini.host(module, port=1)
    mini.net.rule("package", faults.slow(RATE))
    mini.begin(host)
    assert host.codes(until=2) == [2]
    refused_with(host, mini.command(), 308)
    refused_with(other, mini.command(), 308)
    assert host.codes() == [3]
    other.quiet()
    assert len(mini.packages()) == 1, "the session that ran was disturbed"
    mini.net.clear()
    assert mini.run(other) == [2, 3]
    host.quiet()


IDENTITIES = [
    ("no model", ["--device", "8600", "--firmware-version", "V1"], 403),
    ("no device", ["--model", MODEL, "--firmware-version", "V1"], 403),
    ("no version", ["--model", MODEL, "--device", "8600"], 404),
]


@pytest.mark.parametrize("identity,code", [row[1:] for row in IDENTITIES], ids=[row[0] for row in IDENTITIES])
def test_a_module_that_does_not_know_itself_refuses(mini, identity, code):
    mini.publish()
    host = mini.host(mini.module(identity=identity))
    refused_with(host, mini.command(), code)
    assert not mini.net.entries()


def test_a_module_that_knows_its_maker_refuses_other_names_at_once(mini):
    _, host = mini.ready("--oem", OEM)
    refused_with(host, mini.command(oem="OTHER"), 401)
    refused_with(host, mini.command(model="OTHER"), 401)
    assert not mini.net.entries()
    assert mini.run(host) == [2, 3]


# Storage

def test_a_package_larger_than_the_slot_is_refused_with_301(mini):
    _, host = mini.ready("--slot-size", str(MIB), size=MIB + 1)
    assert mini.run(host) == [301]
    assert not mini.packages()
    mini.publish(MIB)
    assert mini.run(host) == [2, 3]


@contextlib.contextmanager
def small_disk(path, size):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True)
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_causes_301(mini, tmp_path):
    with small_disk(tmp_path / "disk", "2m") as disk:
        module, host = mini.ready("--slot-size", str(8 * MIB), size=4 * MIB, state=disk / "state")
        codes = mini.run(host)
        assert codes in ([301], [2, 301], [2, 4, 301])
        assert host.last()[:2] == (301, TEXT[301])
        mini.publish(64 * 1024)
        assert mini.run(host) == [2, 3]
        module.stop()


STORAGE = [
    ("slot.prog=io", [2, 304]),
    ("slot.sync=io", [2, 304]),
    ("slot.erase=io", [2, 304]),
    ("slot.read=io", [2, 4, 304]),  # all of it is stored, and will be verified again
    ("journal.prog=io", [2, 304]),
    ("journal.sync=io", [2, 304]),
    ("slot.prog=hang", [2, 305]),
    ("slot.sync=hang", [2, 305]),
    ("slot.erase=hang", [2, 305]),
    ("slot.read=hang", [2, 4, 305]),
    ("slot.prog=full", [2, 301]),
    ("journal.prog=full", [2, 301]),
]


@pytest.mark.parametrize("fault,codes", STORAGE, ids=[row[0] for row in STORAGE])
def test_failing_storage_causes_its_code(mini, fault, codes):
    module, host = mini.ready("--fault", fault, "--storage-limit", "300")
    assert mini.run(host) == codes
    assert host.last()[:2] == (codes[-1], TEXT[codes[-1]])
    module.kill9()
    module.options = []
    module.start()
    host = mini.host(module)
    assert mini.run(host) == [2, 3]
    assert mini.slot_holds(module, mini.image)


def test_a_hanging_storage_does_not_hold_up_the_shutdown_for_ever(mini):
    module, host = mini.ready("--fault", "slot.sync=hang", "--storage-limit", "300")
    assert mini.run(host) == [2, 305]
    assert module.sigterm(15) == 0


# The host's will, time, power

@pytest.mark.parametrize("cancel", ["AT+CAPFOTA=0", "AT+FOTACANCEL"])
def test_the_host_cancels_with_307(mini, cancel):
    module, host = mini.ready(size=4 * MIB)
    mini.net.rule("package", faults.body(cut_after=2 * MIB, end="stall"))
    mini.begin(host)
    assert host.codes(until=2) == [2]
    wait_for_part(host, 2 * MIB)
    assert host.ok(cancel) == []
    assert host.codes() == [4, 307]
    assert host.last() == (307, TEXT[307], "download", TARGET)
    mini.net.clear()
    host.ok("AT+CAPFOTA=1")
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start == 2 * MIB
    assert mini.slot_holds(module, mini.image)


def wait_for_part(host, size, limit_s=10):
    """Until the module has received `size` bytes."""
    end = time.monotonic() + limit_s
    while host.state()[1] < size:
        assert time.monotonic() < end, f"not {size} bytes\n{host.story()}"
        time.sleep(0.02)


def test_a_cancel_before_anything_is_stored_has_no_4(mini):
    _, host = mini.ready()
    mini.net.rule("check", faults.stall())
    mini.begin(host)
    host.ok("AT+FOTACANCEL")
    assert host.codes() == [307]


def test_there_is_nothing_to_cancel_without_a_session(mini):
    _, host = mini.ready()
    refused_with(host, "AT+FOTACANCEL", 303)


def test_the_other_port_may_cancel(mini):
    module, host = mini.ready(ports=2)
    other = mini.host(module, port=1)
    mini.net.rule("check", faults.stall())
    mini.begin(host)
    other.ok("AT+FOTACANCEL")
    assert host.codes() == [307]
    other.quiet()


def test_sigterm_ends_a_session_with_508(mini):
    module, host = mini.ready(size=4 * MIB)
    mini.net.rule("package", faults.body(cut_after=2 * MIB, end="stall"))
    mini.begin(host)
    assert host.codes(until=2) == [2]
    wait_for_part(host, 2 * MIB)
    module.process.terminate()
    assert host.codes() == [4, 508]
    assert module.wait() == 0
    module.start()
    mini.net.clear()
    host = mini.host(module)
    assert host.last() == (508, TEXT[508], "download", TARGET)
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start == 2 * MIB
    assert mini.slot_holds(module, mini.image)


def test_sigterm_without_a_session_is_silent(mini):
    module, host = mini.ready()
    assert module.sigterm() == 0
    host.quiet()


def test_the_time_limit_of_a_session_causes_509(mini):
    module, host = mini.ready("--session-limit", "1", size=4 * MIB)
    mini.net.rule("package", faults.slow(MIB))
    assert mini.run(host) == [2, 4, 509]
    assert host.last() == (509, TEXT[509], "download", TARGET)
    mini.net.clear()
    assert mini.run(host) == [2, 3]
    assert mini.packages()[-1].start > 0
    assert mini.slot_holds(module, mini.image)


# Names, ports and certificates

@pytest.mark.parametrize("server", ["http://[bad", "ftp://127.0.0.1", "no url", "", "http://"])
def test_a_server_url_that_is_none_causes_501(mini, server):
    host = mini.host(mini.module(server=server))
    assert mini.run(host) == [501]
    assert host.last() == (501, TEXT[501], "check", TARGET)


def test_plain_http_must_be_allowed(mini):
    mini.publish()
    host = mini.host(mini.module(plain=False))
    assert mini.run(host) == [501]
    assert not mini.net.entries()


def test_a_server_name_that_does_not_resolve_causes_502(mini):
    host = mini.host(mini.module(server="http://no-such-host.invalid"))
    assert mini.run(host) == [502]


def test_a_closed_port_causes_503(mini):
    host = mini.host(mini.module(server=f"http://127.0.0.1:{closed_port()}"))
    assert mini.run(host) == [503]


def test_a_server_that_takes_no_connection_causes_503(mini):
    hole = BlackHole()
    try:
        host = mini.host(mini.module("--connect-timeout", "1", server=hole.url))
        assert mini.run(host) == [503]
    finally:
        hole.stop()


def test_a_server_without_tls_causes_503(mini):
    host = mini.host(mini.module(server=mini.net.url.replace("http:", "https:")))
    assert mini.run(host) == [503]


def test_a_server_that_never_ends_its_handshake_causes_503(mini, tmp_path):
    server = mini.server(tls.Authority(tmp_path).server("good"))
    server.rule("connect", faults.silent)
    host = mini.host(mini.module("--connect-timeout", "1", server=server.url))
    assert mini.run(host) == [503]


@pytest.mark.parametrize("kind,codes", [("good", [2, 3]), ("self-signed", [503]), ("wrong-name", [503]),
                                        ("expired", [503])])
def test_a_certificate_must_verify(mini, tmp_path, kind, codes):
    authority = tls.Authority(tmp_path)
    mini.publish()
    server = mini.server(authority.server(kind))
    host = mini.host(mini.module("--ca", str(authority.path), server=server.url))
    assert mini.run(host) == codes


def test_no_authority_but_the_systems_is_believed_by_default(mini, tmp_path):
    authority = tls.Authority(tmp_path)
    server = mini.server(authority.server("good"))
    host = mini.host(mini.module(server=server.url))
    assert mini.run(host) == [503]


@pytest.mark.parametrize("step,codes", [("check", [501]), ("package", [2, 501])])
def test_a_redirect_never_leaves_tls(mini, tmp_path, step, codes):
    authority = tls.Authority(tmp_path)
    mini.publish()
    server = mini.server(authority.server("good"))
    server.rule(step, faults.redirect_to(mini.net.url))
    host = mini.host(mini.module("--ca", str(authority.path), "--allow-http", server=server.url))
    assert mini.run(host) == codes
    assert not mini.net.entries(), "the plain server was asked"


def test_a_package_link_never_leaves_tls(mini, tmp_path):
    authority = tls.Authority(tmp_path)
    mini.publish()
    server = mini.server(authority.server("good"))
    mini.platform.script(lambda answer, _: answer | {"url": mini.net.url + answer["url"]})
    host = mini.host(mini.module("--ca", str(authority.path), "--allow-http", server=server.url))
    assert mini.run(host) == [2, 501]
    assert not mini.net.entries()


def test_codes_go_to_the_port_that_asked_and_nowhere_else(mini):
    module, host = mini.ready(ports=2)
    other = mini.host(module, port=1)
    assert mini.run(other) == [2, 3]
    host.quiet()
    assert not [text for text in host.transcript if CODE.search(text)]
