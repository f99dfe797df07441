# SPDX-License-Identifier: Apache-2.0
"""The ready installers of packaging/installer with the real RAUC and SWUpdate: packages of their formats
travel as any other, and end in the slots that they know."""

import hashlib
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from test_install import IDLE, READY, TRIAL, V1, V2, asked, result, until, version
from test_installer import runs

EXAMPLES = Path(__file__).resolve().parents[2] / "packaging" / "installer"
IMAGE = random.Random(8).randbytes(300_000)
SLOT_BYTES = 1 << 20


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, **more)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
        folder / "cert.pem", "-days", "100", "-subj", "/O=test/CN=update", "-addext", "keyUsage=digitalSignature",
        "-addext", "extendedKeyUsage=emailProtection,codeSigning")


def slots(folder):
    """Two of them, empty."""
    made = [folder / "slot1", folder / "slot2"]
    for slot in made:
        slot.write_bytes(bytes(SLOT_BYTES))
    return made


def holds(slot):
    return slot.read_bytes()[:len(IMAGE)] == IMAGE


def download(world, module, package):
    """The platform has `package` as V2; the module has fetched it. Gives its host."""
    world.platform.publish(V2, package)
    host = world.host(module)
    assert world.run(host, target=V2) == [2, 3]
    assert host.state()[0] == READY
    return host


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "system"
    made.mkdir()
    return made


# ---- SWUpdate ----

def swu(folder, damaged=False):
    """A signed .swu with the image for either copy."""
    digest = hashlib.sha256(IMAGE).hexdigest()
    copies = "".join(f'copy-{n} = {{ images: ( {{ filename = "rootfs.img"; device = "{folder}/slot{n}"; '
                     f'type = "raw"; sha256 = "{digest}"; }} ); }};\n' for n in (1, 2))
    (folder / "sw-description").write_text(
        f'software = {{\nversion = "{V2}";\nhardware-compatibility = [ "1.0" ];\nstable = {{\n{copies}}};\n}}\n')
    run("openssl", "cms", "-sign", "-in", folder / "sw-description", "-out", folder / "sw-description.sig", "-signer",
        folder / "cert.pem", "-inkey", folder / "key.pem", "-outform", "DER", "-nosmimecap", "-binary")
    if damaged:
        text = (folder / "sw-description").read_text()
        (folder / "sw-description").write_text(text.replace("copy-2", "copy-3"))
    (folder / "rootfs.img").write_bytes(IMAGE)
    return run("cpio", "-o", "-H", "crc", input=b"sw-description\nsw-description.sig\nrootfs.img\n", cwd=folder)


def swupdate(folder, running=1):
    """The example with its settings beside it; gives its path."""
    certificate(folder)
    example = folder / "swupdate"
    shutil.copy(EXAMPLES / "swupdate", example)
    (folder / "swupdate.conf").write_text(
        f"SWUPDATE_KEY={folder}/cert.pem SWUPDATE_SLOT={running} SWUPDATE_OPTIONS='-H board:1.0 -M -m'\n"
        + "".join(f"SWUPDATE_{name.upper()}='echo {name} >>{folder}/marks'\n"
                  for name in ("confirm", "rollback", "restart")))
    return example


needs_swupdate = pytest.mark.skipif(not shutil.which("swupdate"), reason="needs swupdate")


@needs_swupdate
@pytest.mark.parametrize("running,target", [(1, 2), (2, 1)])
def test_swupdate_installs_into_the_other_copy(world, folder, running, target):
    made = slots(folder)
    module = world.module("--installer", str(swupdate(folder, running)))
    host = download(world, module, swu(folder))
    host.ok("AT+FOTAINSTALL")
    marks = folder / "marks"
    until(lambda: marks.exists() and marks.read_text() == "restart\n", "installed, and asked to restart")
    assert holds(made[target - 1]) and not holds(made[running - 1])
    runs(module, V2)
    host = world.host(module)
    assert version(host) == V2 and asked(host) == (0, V1, V2) and host.state()[0] == TRIAL
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: marks.read_text() == "restart\nconfirm\n", "the boot loader is told")


@needs_swupdate
def test_what_swupdate_refuses_is_not_installed(world, folder):
    """The second signature, that of SWUpdate, is wrong, though ours is right."""
    made = slots(folder)
    module = world.module("--installer", str(swupdate(folder)))
    host = download(world, module, swu(folder, damaged=True))
    host.ok("AT+FOTAINSTALL")
    assert result(host)[1] == (1, V1, V2)
    assert not any(holds(slot) for slot in made)
    until(lambda: host.state()[0] == IDLE, "it is over")


# ---- RAUC ----

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={folder}/bus</listen>
<policy context="default"><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy>
</busconfig>
"""
SYSTEM = """[system]
compatible=atfota-test
bootloader=custom
mountprefix={folder}/mnt
statusfile={folder}/status
[handlers]
bootloader-custom-backend={folder}/backend
[keyring]
path={folder}/cert.pem
[slot.rootfs.0]
device={folder}/slot1
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/slot2
type=raw
bootname=B
"""
MANIFEST = f"""[update]
compatible=atfota-test
version={V2}
[bundle]
format=plain
[image.rootfs]
filename=rootfs.img
"""
# A boot loader: files.
BACKEND = """#!/bin/sh
cd {folder}
case $1 in
get-primary) cat primary ;;
set-primary) echo $2 >primary ;;
get-state) cat state.$2 ;;
set-state) echo $3 >state.$2 ;;
esac
"""


class Rauc:
    """A system with RAUC's service on a bus of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.slots = slots(folder)
        certificate(folder)
        (folder / "mnt").mkdir()
        for name, text in (("bus.conf", BUS), ("system.conf", SYSTEM), ("backend", BACKEND)):
            (folder / name).write_text(text.format(folder=folder))
        (folder / "backend").chmod(0o755)
        for name, text in (("primary", "A"), ("state.A", "good"), ("state.B", "good")):
            (folder / name).write_text(text + "\n")
        self.example = folder / "rauc"
        shutil.copy(EXAMPLES / "rauc", self.example)
        self.address = f"unix:path={folder}/bus"
        (folder / "rauc.conf").write_text(f"DBUS_SYSTEM_BUS_ADDRESS={self.address}\n"
                                          f"RAUC_RESTART='echo restart >>{folder}/marks'\n")
        self.log = open(folder / "service.log", "wb")
        self.bus = self.spawn("dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork")
        until((folder / "bus").exists, "the bus is there")
        self.service = None
        self.boot("A")

    def spawn(self, *words):
        return subprocess.Popen(words, stdout=self.log, stderr=self.log, env={
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DBUS_SYSTEM_BUS_ADDRESS": self.address})

    def boot(self, name):
        """The system runs in this slot."""
        self.end(self.service)
        self.service = self.spawn("rauc", "-c", str(self.folder / "system.conf"), "service",
                                  f"--override-boot-slot={name}")
        until(self.is_up, "RAUC's service is on the bus")

    def is_up(self):
        done = subprocess.run(["gdbus", "call", "--address", self.address, "--dest", "org.freedesktop.DBus",
                               "--object-path", "/", "--method", "org.freedesktop.DBus.NameHasOwner",
                               "de.pengutronix.rauc"], capture_output=True, text=True)
        return "true" in done.stdout

    def told(self, name):
        return (self.folder / name).read_text().strip()

    def bundle(self):
        content = self.folder / "content"
        content.mkdir()
        (content / "manifest.raucm").write_text(MANIFEST)
        (content / "rootfs.img").write_bytes(IMAGE)
        run("rauc", f"--cert={self.folder}/cert.pem", f"--key={self.folder}/key.pem",
            f"--keyring={self.folder}/cert.pem", "bundle", content, self.folder / "bundle.raucb")
        return (self.folder / "bundle.raucb").read_bytes()

    @staticmethod
    def end(process):
        if process is not None:
            process.terminate()
            process.wait(10)

    def close(self):
        self.end(self.service)
        self.end(self.bus)
        self.log.close()


def can_mount(folder):
    """RAUC reads a bundle by mounting it."""
    if not shutil.which("rauc") or not shutil.which("mksquashfs"):
        return False
    (folder / "probe").mkdir()
    (folder / "at").mkdir()
    subprocess.run(["mksquashfs", folder / "probe", folder / "probe.img"], check=True, capture_output=True)
    done = subprocess.run(["mount", "-o", "loop,ro", "-t", "squashfs", folder / "probe.img", folder / "at"],
                          capture_output=True)
    if done.returncode == 0:
        subprocess.run(["umount", folder / "at"], check=True)
    return done.returncode == 0


@pytest.fixture
def rauc(folder):
    if not can_mount(folder):
        pytest.skip("needs rauc, squashfs-tools and the right to mount")
    system = Rauc(folder)
    yield system
    system.close()


def installed(world, rauc):
    module = world.module("--installer", str(rauc.example))
    host = download(world, module, rauc.bundle())
    host.ok("AT+FOTAINSTALL")
    until(lambda: (rauc.folder / "marks").exists(), "installed, and asked to restart")
    assert holds(rauc.slots[1]) and not holds(rauc.slots[0]) and rauc.told("primary") == "B"
    return module


def test_rauc_installs_and_marks_the_slot_good(world, rauc):
    module = installed(world, rauc)
    rauc.boot("B")
    (rauc.folder / "state.B").write_text("unknown\n")
    runs(module, V2)
    host = world.host(module)
    assert version(host) == V2 and asked(host) == (0, V1, V2)
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: rauc.told("state.B") == "good", "the slot is marked")
    assert rauc.told("primary") == "B"


def test_rauc_goes_back(world, rauc):
    module = installed(world, rauc)
    rauc.boot("B")
    runs(module, V2)
    host = world.host(module)
    host.ok("AT+FOTACONFIRM=0")
    until(lambda: (rauc.folder / "marks").read_text() == "restart\nrestart\n", "asked to restart")
    assert rauc.told("primary") == "A" and rauc.told("state.B") == "bad"


def test_rauc_hears_of_a_boot_loader_that_went_back(world, rauc):
    module = installed(world, rauc)
    rauc.boot("A")
    runs(module, V1)
    host = world.host(module)
    assert asked(host) == (508, V1, V2)
    until(lambda: rauc.told("primary") == "A", "the old slot is the first one again")


def test_what_rauc_refuses_is_not_installed(world, rauc):
    bundle = bytearray(rauc.bundle())
    bundle[100_000] ^= 1
    module = world.module("--installer", str(rauc.example))
    host = download(world, module, bytes(bundle))
    host.ok("AT+FOTAINSTALL")
    assert result(host)[1] == (1, V1, V2)
    assert not any(holds(slot) for slot in rauc.slots) and rauc.told("primary") == "A"


@pytest.mark.parametrize("cmdline, mode", [
    ("console=ttyS0 root=/dev/mmcblk0p2 rw", "stable,copy-2"), ("root=/dev/mmcblk0p3", "stable,copy-1"),
    ("root=PARTUUID=0b1c-03", None), ("quiet", None), ("root=/dev/sda1 p3=1", None)])
def test_swupdate_never_guesses_which_slot_runs(tmp_path, cmdline, mode):
    """It would overwrite what runs."""
    (tmp_path / "swupdate-script").write_text((EXAMPLES / "swupdate").read_text())
    for name, text in (("cat", f'echo "{cmdline}"'), ("swupdate", 'echo "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(["/bin/sh", tmp_path / "swupdate-script", "install", "package.swu"], text=True,
                          capture_output=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=10)
    if mode:
        assert done.returncode == 0 and f"-e {mode} " in done.stdout, done
    else:
        assert done.returncode == 1 and "SWUPDATE_SLOT" in done.stderr and done.stdout == "", done
