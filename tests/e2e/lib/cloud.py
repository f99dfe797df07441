# SPDX-License-Identifier: Apache-2.0
"""A running atfota-cloud on a free port, with its data in a folder of the test."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import time
import urllib.parse
from pathlib import Path

from .product import Product
from .signing import Signer
from .world import MODEL, OEM, image

STOP_LIMIT_S = 20
SUIT_TYPE = "application/suit-envelope+cose"


class Answer:
    """One HTTP answer: status, headers (any case) and body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"Answer({self.status}, {self.body[:300]!r})"


class Cloud:
    """`with Cloud(program, folder) as cloud:`, or start() and stop(). The folder's data
    stays, so that it can be started again."""

    def __init__(self, program, folder, *options, tls=False):
        self.program, self.folder = Path(program), Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.log_path = self.folder / "cloud.log"
        self.options = [*options] if tls else ["--allow-http", *options]
        self.process = self.url = self.first_lines = None
        self._signers = {}  # by the product's ID

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts the program and waits until it listens."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--data", self.data, "--listen", "127.0.0.1:0", "--log-level", "debug", *self.options],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        self.first_lines = []
        for line in self.process.stdout:
            self.first_lines.append(line.decode().rstrip())
            if line.startswith(b"listening on "):
                self.url = line.decode().split()[-1]
                return self
        raise AssertionError(f"atfota-cloud ended with {self.process.wait()}: {self.log()}")

    @property
    def token(self):
        return (self.data / "admin-token").read_text().strip()

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_log(self, words, count=1, limit_s=STOP_LIMIT_S):
        """Until the log has said it so many times."""
        end = time.monotonic() + limit_s
        while self.log().count(words) < count:
            assert time.monotonic() < end and self.process.poll() is None, (words, self.log())
            time.sleep(0.01)

    def stop(self):
        """Ends it by SIGTERM; its exit status must be 0."""
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_LIMIT_S)
        self.process.stdout.close()
        self.process = None
        assert status == 0, f"exit status {status}: {self.log()}"

    def kill(self):
        """Ends it by SIGKILL, wherever it is."""
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)
        self.process.stdout.close()
        self.process = None

    def connect(self, timeout=30):
        place = urllib.parse.urlsplit(self.url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        return kind(place.hostname, place.port, timeout=timeout)

    def request(self, method, path, body=None, token=..., headers=None):
        """One request; `body` is bytes, or anything else as JSON. Paths without a slash at
        their start are below /api/v1."""
        wire_headers = dict(headers or {})
        token = self.token if token is ... else token
        if token is not None:
            wire_headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, (bytes, bytearray)):
            body = json.dumps(body).encode()
        connection = self.connect()
        try:
            connection.request(method, path if path.startswith("/") else f"/api/v1/{path}", body, wire_headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def ok(self, method, path, body=None, **more):
        """The JSON of a request that must succeed."""
        answer = self.request(method, path, body, **more)
        assert 200 <= answer.status < 300, (method, path, answer)
        return answer.json

    def product(self, oem=OEM, model=MODEL):
        """A new product, made with all that it needs."""
        return Product(self, oem, model)

    def everything(self, size=10_000, version="V2.00", seed=1, **fields):
        """OEM, model, product, version, package, all published: (product, version, image)."""
        product = self.product()
        data = image(size, seed)
        return product, product.publish(version, data, **fields), data

    def signer(self, product, *keys):
        """Who signs for a product; a new signer's keys are told to the platform."""
        if product not in self._signers:
            self._signers[product] = Signer(*keys)
            for key in self._signers[product].keys:
                self.tell_key(product, key)
        return self._signers[product]

    def tell_key(self, product, key):
        """The product's packages may be signed by this key."""
        answer = self.request("POST", f"products/{product}/keys", {"pem": key.pem.decode()})
        assert (answer.status, answer.json["kid"]) == (201, key.kid.hex()), answer

    def sign(self, version, data, **wrong):
        """Gives a version its manifest for `data`, unless it has that already."""
        found = self.ok("GET", f"versions/{version}")
        has = found.get("manifest") or {}
        if has.get("digest") != hashlib.sha256(data).hexdigest() or wrong:
            self.put_manifest(version, self.manifest(found["product"], found["name"], data, **wrong))

    def manifest(self, product, version, data, **wrong):
        """A manifest for `data` as a version (by its name) of a product."""
        found = self.ok("GET", f"products/{product}")
        return self.signer(product).sign(found["oem"], found["model"], version, data, **wrong)

    def put_manifest(self, version, manifest):
        answer = self.request("PUT", f"versions/{version}/manifest", manifest, headers={"Content-Type": SUIT_TYPE})
        assert answer.status == 200, answer

    def put_package(self, version, data, manifest=None, **more):
        """Manifest and package in one shot. Gives the version."""
        if manifest is None:
            self.sign(version, data)
        else:
            self.put_manifest(version, manifest)
        done = self.ok("PUT", f"versions/{version}/package", data, **more)
        assert done["package"] == {"digest": hashlib.sha256(data).hexdigest(), "size": len(data)}, done
        return done

    def upload(self, version, data, piece=None, wait_s=0.0):
        """Uploads a package by the resumable way, in pieces. Gives the version."""
        self.sign(version, data)
        digest = hashlib.sha256(data).hexdigest()
        upload = self.ok("POST", f"versions/{version}/uploads", {"size": len(data), "digest": digest})
        while upload["offset"] < len(data):
            at = upload["offset"]
            upload = self.ok("PATCH", f"uploads/{upload['id']}", data[at:at + (piece or len(data))],
                             headers={"Upload-Offset": str(at)})
            time.sleep(wait_s)
        return self.ok("POST", f"uploads/{upload['id']}/finish", {})

    def memory_kib(self, name="VmRSS"):
        """A line of /proc/PID/status."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def database_state(self):
        """What changes with any write: names, sizes and times of the database's files."""
        files = sorted(self.data.glob("atfota.db*"))
        return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in files
                if not path.name.endswith("-shm")}


def default_program():
    """The program of the newest build, for scripts that are not run by pytest."""
    root = Path(__file__).resolve().parents[3]
    named = os.environ.get("ATFOTA_BUILD")
    found = [root / named] if named else sorted(root.glob("build/*"), key=lambda path: path.stat().st_mtime)
    programs = [path / "cloud/atfota-cloud" for path in found if (path / "cloud/atfota-cloud").is_file()]
    return programs[-1] if programs else None
