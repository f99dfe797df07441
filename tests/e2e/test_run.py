# SPDX-License-Identifier: Apache-2.0
"""`scripts/run`, as `make run` calls it: what a newcomer sees first."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lib.tls import Authority

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60


class Run:
    """Runs of the script on one data folder."""

    def __init__(self, build, folder):
        self.data = folder / "run data"
        self.env = os.environ | {"BUILD": str(build), "RUN_DATA": str(self.data)}

    def start(self, **env):
        return subprocess.Popen([ROOT / "scripts/run"], env=self.env | env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def once(self):
        process = self.start(ONCE="1")
        out, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, out
        return out

    def until(self, process, text):
        """What it says up to a line with `text`."""
        said = []
        for line in process.stdout:
            said.append(line)
            if text in line:
                return "".join(said)
        raise AssertionError("".join(said))

    def left(self):
        """Command lines of processes that work on this data, by their ID."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.data) in words:
                found[int(folder.name)] = words
        return found

    def kill_left(self):
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)

    def wait_left(self, limit_s=30):
        end = time.monotonic() + limit_s
        while self.left():
            assert time.monotonic() < end, self.left()
            time.sleep(0.05)


@pytest.fixture
def run(build, tmp_path, request):
    run = Run(build, tmp_path)
    yield run
    if request.node.has_failed:  # in the middle: nothing stays behind
        run.kill_left()
    run.wait_left()


def check_session(out):
    shown = re.findall(r"^[<>] (.*)$", out, re.MULTILINE)
    command = next(i for i, text in enumerate(shown) if text.startswith("AT+CSCFOTA="))
    rest = [text for text in shown[command + 1:] if not text.startswith("+FOTAPROG")]
    assert rest[:3] == ["OK", "+CSCFOTA: 2", "+CSCFOTA: 3"], out
    assert "f9bbb0d76f894da090b6b69253616561" not in out


def test_once_shows_the_manuals_session_and_a_second_time_too(run):
    for _ in range(2):
        check_session(run.once())
        assert not run.left()


def test_all_of_it_speaks_tls_with_certificates_of_its_own(run):
    run.once()
    tls = run.data / "tls"
    assert sorted(path.name for path in tls.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]
    assert "listening on https://" in (run.data / "log/cloud.log").read_text()
    assert "warn" not in (run.data / "log/cloud.log").read_text()
    made = (tls / "cert.pem").read_bytes()
    run.once()
    assert (tls / "cert.pem").read_bytes() == made, "not kept"


def test_what_is_released_is_signed_and_signed_again_if_the_key_is_new(run, build):
    def verified(name):
        return subprocess.run([build / "tool/atfota", "package", "verify", "--key", run.data / "trusted-keys.pem",
                               run.data / "firmware.suit", name], capture_output=True).returncode == 0

    run.once()
    assert verified(run.data / "firmware.bin") and not verified(run.data / "secret")
    before = (run.data / "firmware.suit").read_bytes()
    run.once()
    assert (run.data / "firmware.suit").read_bytes() == before
    (run.data / "signing-key.pem").unlink()
    check_session(run.once())
    assert (run.data / "firmware.suit").read_bytes() != before and verified(run.data / "firmware.bin")


def test_the_installation_that_it_names_works_and_the_next_run_begins_anew(run, build):
    process = run.start()
    try:
        command = re.search(r"(module install .* --confirm)", run.until(process, "module install"))[1].split()
        run.until(process, "Ctrl-C ends them")
        done = subprocess.run([build / "tool/atfota"] + command[:2] + ["--port", run.data / "module", "--confirm"],
                              capture_output=True, text=True, timeout=LIMIT_S, cwd=ROOT)
        assert done.returncode == 0 and "the new version runs" in done.stdout, done
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
    assert "+CSCFOTA: 3" in run.once()


def test_a_certificate_about_to_expire_is_renewed(run):
    run.once()
    (ca, cert, key) = (run.data / "tls" / name for name in ("ca.pem", "cert.pem", "key.pem"))
    before = ca.read_bytes()
    authority = Authority(run.data / "log")
    chain, secret = authority.files("expiring")
    for mine, old in ((ca, authority.path), (cert, chain), (key, secret)):
        mine.write_bytes(old.read_bytes())
    check_session(run.once())
    assert ca.read_bytes() not in (before, authority.path.read_bytes())
    cert.unlink()  # half of it is gone
    check_session(run.once())


def test_what_it_leaves_is_for_its_owner_only(run):
    run.once()
    found = [run.data, *run.data.rglob("*")]
    assert {"secret", "key.pem", "signing-key.pem", "admin-token", "journal", "config", "atfota.db"} <= {path.name for path in found}
    for path in found:
        assert path.lstat().st_mode & 0o077 == 0, path


def environment(pid):
    """None where the kernel shows it to root only, as of programs that guard their memory."""
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except PermissionError:
        return None


def test_no_secret_is_in_an_argument_list_or_a_log(run):
    process = run.start()
    said = run.until(process, "Ctrl-C ends them")
    secrets = [(run.data / "secret").read_text().strip(), (run.data / "cloud/admin-token").read_text().strip(),
               *(line for name in ("tls/key.pem", "signing-key.pem")
                 for line in re.findall(r"[A-Za-z0-9+/]{40,}", (run.data / name).read_text()))]
    assert len(secrets) >= 6
    running = run.left()
    environ = [text for pid in running if (text := environment(pid)) is not None]
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=LIMIT_S)
    logs = [path.read_text(errors="replace") for path in (run.data / "log").iterdir()]
    assert len(logs) >= 3 and len(running) >= 2
    for secret in secrets:
        for text in (said, *environ, *running.values(), *logs):
            assert secret not in text


def test_ctrl_c_ends_everything(run):
    process = run.start()
    check_session(run.until(process, "Ctrl-C ends them"))
    assert len(run.left()) >= 2
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, out
    assert not run.left()
    assert not (run.data / "module").is_symlink()


def test_a_run_that_was_killed_does_no_harm(run):
    process = run.start()
    run.until(process, "Ctrl-C ends them")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    run.wait_left()
    check_session(run.once())


def test_a_second_run_on_the_same_data_is_refused_and_disturbs_nothing(run):
    first = run.start()
    run.until(first, "Ctrl-C ends them")
    second = run.start(ONCE="1")
    out, _ = second.communicate(timeout=LIMIT_S)
    assert second.returncode == 1 and "another run uses" in out, out
    assert first.poll() is None and (run.data / "module").is_symlink()
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=LIMIT_S)
    assert first.returncode == 0


def test_a_program_that_dies_is_told_with_its_last_lines(run):
    process = run.start()
    run.until(process, "Ctrl-C ends them")
    for pid, words in run.left().items():
        if "module/atfotad" in words:
            os.kill(pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1 and "the module ended" in out, out
