# SPDX-License-Identifier: Apache-2.0
"""The units of systemd: they are right, they close what can be closed, and the programs
need nothing that is closed."""

import os
import re
import shlex
import ssl
import subprocess
import urllib.parse

import pytest

from lib import tls
from lib.cloud import Cloud
from lib.product import Product
from lib.world import MIB, MODEL, OEM, World, finish

# What systemd says of the sandbox: 0 is closed, 10 is open. What is left is the network, and
# serial lines for the module.
LIMITS = {"atfota-cloud": 1.3, "atfotad": 1.9}
PROGRAMS = {"atfota-cloud": "cloud/atfota-cloud", "atfotad": "module/atfotad"}
LIMIT_S = 30


def analyze(*words):
    return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=LIMIT_S)


@pytest.fixture(params=PROGRAMS)
def unit(request, build, tmp_path):
    """(Name, a copy of the unit that starts the program of this build)."""
    name = request.param
    text = (build / f"packaging/{name}.service").read_text()
    path = tmp_path / f"{name}.service"
    path.write_text(re.sub(r"(?m)^ExecStart=\S+", f'ExecStart="{build / PROGRAMS[name]}"', text))
    return name, path


def exposure(path):
    done = analyze("security", "--offline=true", str(path))
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)[1])


def test_the_sandbox_is_strict(unit):
    name, path = unit
    assert exposure(path) <= LIMITS[name], analyze("security", "--offline=true", str(path)).stdout
    path.write_text(re.sub(r"(?m)^SystemCallFilter=.*\n", "", path.read_text()))
    assert exposure(path) > LIMITS[name], "nothing was measured"


def test_systemd_finds_no_fault(unit):
    _, path = unit
    done = analyze("verify", "--man=no", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    path.write_text(path.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in analyze("verify", "--man=no", str(path)).stderr, "nothing was looked at"


def settings(path, name):
    return re.findall(rf"(?m)^{name}=(.*)$", path.read_text())


def allowed_calls(path):
    """The system calls that the unit's filter lets through."""
    sets, current = {}, None
    for line in analyze("syscall-filter").stdout.splitlines():
        if re.match(r"@\S+$", line):
            current = sets.setdefault(line, [])
        elif line.startswith("    ") and not line.strip().startswith("#") and current is not None:
            current.append(line.strip())

    def expand(word):
        return {name for part in sets[word] for name in expand(part)} if word.startswith("@") else {word}

    allowed = set()
    for value in settings(path, "SystemCallFilter"):
        names = {name for word in value.lstrip("~").split() for name in expand(word)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    assert "read" in allowed and "mount" not in allowed
    return allowed


def traced(program, folder):
    """A program in front of this one that writes its system calls to a file; it keeps its PID."""
    folder.mkdir()
    script = folder / program.name
    # The search for leaks is a debugger too, and there can be only one.
    script.write_text("#!/bin/sh\nexport ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0\n"
                      f'exec strace -D -f -qq -o "{folder}/calls" "{program}" "$@"\n')
    script.chmod(0o755)
    return script, folder / "calls"


def needed(calls):
    """The calls that were not refused, and the kinds of sockets."""
    text = calls.read_text(errors="replace")
    # MemoryDenyWriteExecute: no code that was written, or could be.
    assert not re.search(r"mmap\(.*PROT_WRITE\|PROT_EXEC|mprotect\(.*PROT_EXEC", text)
    names = set(re.findall(r"(?m)^\d+ +(\w+)\(", text))
    # SQLite asks for fchown if it runs as root, which the units' users are not.
    return names - {"fchown"} if os.geteuid() == 0 else names, set(re.findall(r"\bsocket\((AF_\w+)", text))


@pytest.fixture
def calls(tmp_path, build, atfotad, seen_codes, request, monkeypatch):
    """What platform and module ask of the kernel in an upgrade over TLS, by program."""
    authority = tls.Authority(tmp_path)
    chain, key = authority.files()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    cloud_program, cloud_calls = traced(build / PROGRAMS["atfota-cloud"], tmp_path / "cloud-trace")
    module_program, module_calls = traced(atfotad, tmp_path / "module-trace")
    with Cloud(cloud_program, tmp_path / "cloud", "--tls-cert", chain, "--tls-key", key, tls=True) as cloud:
        world = World(tmp_path, module_program, seen_codes, Product(cloud, OEM, MODEL))
        try:
            world.publish(2 * MIB)
            module = world.module("--ca", str(authority.path), server=cloud.url.replace("127.0.0.1", "localhost"))
            assert world.run(world.host(module)) == [2, 3]
        finally:
            finish(world, request)
    return {"atfota-cloud": needed(cloud_calls), "atfotad": needed(module_calls)}


@pytest.mark.release
def test_the_programs_need_nothing_that_is_closed(calls, build):
    for name, (used, families) in calls.items():
        path = build / f"packaging/{name}.service"
        assert {"read", "write", "fsync", "mmap"} & used and len(used) > 30, used
        assert used <= allowed_calls(path), (name, used - allowed_calls(path))
        open_families = set(settings(path, "RestrictAddressFamilies")[0].split())
        assert "AF_INET" in families and families <= open_families, (name, families)


def shown_certificate(url):
    place = urllib.parse.urlsplit(url)
    return ssl.get_server_certificate((place.hostname, place.port), timeout=LIMIT_S)


class Manager:
    """Does what systemd does with the lines of the platform's unit, below a folder."""

    def __init__(self, path, folder):
        text = path.read_text()
        self.source = folder / "etc"
        self.source.mkdir()
        self.runtime = folder / "run/atfota-cloud"
        self.runtime.mkdir(parents=True, mode=int(settings(path, "RuntimeDirectoryMode")[0], 8))
        assert settings(path, "RuntimeDirectory") == ["atfota-cloud"]
        place = re.search(r"(\S+)/atfota/tls/cert\.pem", text)[1]
        self.words = {name: [line.removeprefix("+").replace("%t", str(folder / "run"))
                             .replace(f"{place}/atfota/tls", str(self.source)) for line in settings(path, name)]
                      for name in ("ExecStartPre", "ExecStart", "ExecReload")}

    def option(self, name):
        return re.search(rf"--{name} (\S+)", self.words["ExecStart"][0])[1]

    def run(self, name, pid=0):
        for line in self.words[name]:
            subprocess.run(shlex.split(line.replace("$MAINPID", str(pid))), check=True, timeout=LIMIT_S)

    def install(self, files):
        for name, path in zip(("cert.pem", "key.pem"), files):
            (self.source / name).write_bytes(path.read_bytes())


def test_a_reload_of_the_unit_brings_the_renewed_certificate(build, tmp_path):
    authority = tls.Authority(tmp_path)
    manager = Manager(build / "packaging/atfota-cloud.service", tmp_path)
    manager.install(authority.files())
    manager.run("ExecStartPre")
    with Cloud(build / PROGRAMS["atfota-cloud"], tmp_path / "c", "--tls-cert", manager.option("tls-cert"), "--tls-key",
               manager.option("tls-key"), tls=True) as cloud:
        assert shown_certificate(cloud.url) == (manager.source / "cert.pem").read_text()
        manager.install(authority.files())
        manager.run("ExecReload", cloud.pid)
        cloud.wait_log("new connections get the certificate")
        assert shown_certificate(cloud.url) == (manager.source / "cert.pem").read_text()
        for name in ("cert.pem", "key.pem"):
            assert (manager.runtime / name).stat().st_mode & 0o777 == 0o400
            assert (manager.runtime / name).stat().st_uid == manager.runtime.stat().st_uid
    assert " warn " not in cloud.log(), cloud.log()


def test_copies_go_through_no_link_that_the_program_made(build, tmp_path):
    """Root writes into a folder of the program's user."""
    manager = Manager(build / "packaging/atfota-cloud.service", tmp_path)
    manager.install(tls.Authority(tmp_path).files())
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("cert.pem", "key.pem"):
        (manager.runtime / name).symlink_to(victim)
    manager.run("ExecStartPre")
    assert victim.read_text() == "mine" and not (manager.runtime / "key.pem").is_symlink()
    assert all("-h" in shlex.split(line) for line in manager.words["ExecReload"] if "chown" in line)
