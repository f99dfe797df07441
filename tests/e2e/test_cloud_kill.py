# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the platform while packages are uploaded, versions published and reports sent: what
was acknowledged is there after the restart, what was not can be repeated.

CLOUD_KILL_SEED=SEED:TURN replays one turn."""

import hashlib
import http.client
import os
import random
import subprocess
import threading
import time

import pytest

from lib.cloud import Cloud
from lib.device import Device
from lib.world import image

TURNS, SOAK_TURNS = 10, 200
PACKAGE_BYTES = 2_000_000
GONE = (OSError, http.client.HTTPException)


class Worker(threading.Thread):
    """Does its work until the platform is gone; what was acknowledged is in the ledger."""

    def __init__(self, cloud, rng, ledger):
        super().__init__()
        self.cloud, self.rng, self.ledger, self.error = cloud, rng, ledger, None

    def run(self):
        try:
            while True:
                self.step()
        except GONE:
            pass
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error


class Uploader(Worker):
    """Creates versions, uploads their packages in pieces, publishes some."""

    def step(self):
        ledger, cloud = self.ledger, self.cloud
        if not ledger.upload:
            seed = self.rng.randrange(1 << 30)
            ledger.seed, ledger.name = seed, f"V{seed}"
            ledger.upload = {"stage": "create"}
        data = image(PACKAGE_BYTES, ledger.seed)
        stage = ledger.upload["stage"]
        if stage == "create":
            answer = cloud.request("POST", "versions", {"product": ledger.product.product, "name": ledger.name})
            if answer.status == 409:  # made, but the answer did not arrive
                version = cloud.ok("GET", f"versions?name={ledger.name}")["items"][0]
            else:
                assert answer.status == 201, answer
                version = answer.json
            cloud.sign(version["id"], data)
            body = {"size": len(data), "digest": hashlib.sha256(data).hexdigest()}
            upload = cloud.ok("POST", f"versions/{version['id']}/uploads", body)
            ledger.upload = {"stage": "send", "version": version["id"], "id": upload["id"], "offset": upload["offset"]}
        elif stage == "send" and ledger.upload["offset"] < len(data):
            at = ledger.upload["offset"]
            piece = data[at:at + self.rng.randrange(1, 500_000)]
            answer = cloud.request("PATCH", f"uploads/{ledger.upload['id']}", piece, headers={"Upload-Offset": str(at)})
            if answer.status == 409:
                assert answer.json["offset"] > at, "acknowledged bytes are gone"
                ledger.upload["offset"] = answer.json["offset"]
                return
            assert answer.status == 200 and answer.json["offset"] == at + len(piece), answer
            ledger.upload["offset"] = answer.json["offset"]
        elif stage == "send":
            answer = cloud.request("POST", f"uploads/{ledger.upload['id']}/finish", {})
            if answer.status == 404:  # finished, but the answer did not arrive
                package = cloud.ok("GET", f"versions/{ledger.upload['version']}")["package"]
            else:
                assert answer.status == 200, answer
                package = answer.json["package"]
            assert package["digest"] == hashlib.sha256(data).hexdigest()
            ledger.packages[ledger.upload["version"]] = package
            ledger.upload["stage"] = "publish"
        else:
            version = cloud.ok("POST", f"versions/{ledger.upload['version']}/publish", {})
            ledger.published.add(version["id"])
            ledger.upload = None


class Reporter(Worker):
    """Reports from many devices; some twice."""

    def step(self):
        ledger = self.ledger
        if not ledger.report:
            device = Device(self.cloud.url, ledger.product.product, ledger.product.secret, ledger.product.oem,
                            ledger.product.model, device=f"imei{self.rng.randrange(50)}")
            ledger.report = device, device.report_fields(ledger.deployment, self.rng.choice([2, 3, 7]))
        device, fields = ledger.report
        device.url = self.cloud.url
        status, answer = device.exchange("/device/v1/report", fields | {"nonce": os.urandom(16)})
        assert (status, answer["result"]) == (200, 0)
        ledger.reports[fields["id"].hex()] = device.names["device"], fields["state"]
        if self.rng.random() < 0.8:
            ledger.report = None


class Ledger:
    """What the platform acknowledged."""

    def __init__(self, product, deployment):
        self.product, self.deployment = product, deployment
        self.upload = self.report = None
        self.packages, self.published, self.reports = {}, set(), {}

    def verify(self, cloud):
        """Everything acknowledged is there."""
        for version, package in self.packages.items():
            found = cloud.ok("GET", f"versions/{version}")
            assert found["package"] == package
            assert version not in self.published or found["state"] == "published"
            name = package["digest"]
            blob = (cloud.data / "blobs" / name[:2] / name[2:]).read_bytes()
            assert hashlib.sha256(blob).hexdigest() == name
        for version in self.published:
            deployments = cloud.ok("GET", f"deployments?version={version}")["items"]
            assert len(deployments) == 1, "a repeated publish made a second deployment"
        if self.upload and self.upload["stage"] == "send":
            answer = cloud.request("GET", f"uploads/{self.upload['id']}")
            assert answer.status == 404 or answer.json["offset"] >= self.upload["offset"]
            assert answer.status == 200 or cloud.ok("GET", f"versions/{self.upload['version']}")["package"]
        found, after = {}, ""
        while after is not None:
            page = cloud.ok("GET", f"deployments/{self.deployment}/reports?limit=1000{after and '&after=' + after}")
            for report in page["items"]:
                assert report["report_id"] not in found, "a report counted twice"
                found[report["report_id"]] = report["device"]
            after = page["next"]
        lost = {report for report, (device, _) in self.reports.items() if found.get(report) != device}
        assert not lost, f"acknowledged reports are gone: {lost}"
        devices = {device for device in found.values()}
        counts = cloud.ok("GET", f"deployments/{self.deployment}")["counts"]
        assert sum(counts.values()) == len(devices)


def turns(is_soak):
    """(seed, turns) to play."""
    named = os.environ.get("CLOUD_KILL_SEED", "")
    if ":" in named:
        seed, turn = named.split(":")
        return int(seed), [int(turn)]
    return int(named or random.SystemRandom().randrange(1 << 31)), range(SOAK_TURNS if is_soak else TURNS)


@pytest.mark.limit(300)
def test_kill_9_loses_nothing_that_was_acknowledged(build, tmp_path, is_soak):
    seed, played = turns(is_soak)
    cloud = Cloud(build / "cloud/atfota-cloud", tmp_path)
    with cloud:
        product, version, _ = cloud.everything()
        deployment, = cloud.ok("GET", f"deployments?version={version['id']}")["items"]
    ledger = Ledger(product, deployment["id"])
    for turn in played:
        print(f"CLOUD_KILL_SEED={seed}:{turn}")
        rng = random.Random(f"{seed}:{turn}")
        cloud.start()
        ledger.verify(cloud)
        workers = [kind(cloud, random.Random(rng.random()), ledger) for kind in (Uploader, Reporter)]
        for worker in workers:
            worker.start()
        workers[0].join(rng.uniform(0, 0.4))
        cloud.kill()
        for worker in workers:
            worker.join()
            assert worker.error is None, repr(worker.error)
    cloud.start()
    ledger.verify(cloud)
    assert ledger.reports, "no report was ever acknowledged: the kills come too early to prove anything"
    while not ledger.published:  # whatever was cut can be carried to its end
        Uploader(cloud, random.Random(seed), ledger).step()
    ledger.verify(cloud)
    cloud.stop()


def test_kill_9_before_the_first_token_is_used_leaves_a_good_one(build, tmp_path):
    """Killed at many moments of its first start, it comes up with a token that is good."""
    for turn in range(10):
        cloud = Cloud(build / "cloud/atfota-cloud", tmp_path / str(turn))
        process = subprocess.Popen([cloud.program, "--data", cloud.data, "--listen", "127.0.0.1:0", "--allow-http"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.003 * turn)
        process.kill()
        process.wait()
        with cloud:
            assert cloud.request("GET", "oems").status == 200
