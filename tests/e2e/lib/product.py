# SPDX-License-Identifier: Apache-2.0
"""One product on the real platform, with the same face as MiniPlatform."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

from .faultserver import HttpUpstream
from .signing import Signed

LIMIT_S = 30
# States of a report that end a session, by the names of the admin API.
FINAL = {"downloaded": 3, "failed": 7, "cancelled": 8}


class AdminError(Exception):
    """A problem document of the admin API."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


def call(cloud, method, path, body=None, raw=None, **headers):
    """One call of the admin API of anything with `url` and `token`."""
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    kind = "application/octet-stream" if raw is not None else "application/json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        f"{cloud.url}/api/v1{path}", data, {"Authorization": f"Bearer {cloud.token}", "Content-Type": kind} | named,
        method=method)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise AdminError(error.code, error.read().decode(errors="replace")) from None
    return json.loads(text) if text else None


def items(cloud, path, **query):
    """All items of a list, page by page."""
    found, after = [], None
    while True:
        words = {name: value for name, value in {**query, "after": after}.items() if value is not None}
        page = call(cloud, "GET", f"{path}?{urllib.parse.urlencode(words)}")
        found += page["items"]
        after = page["next"]
        if after is None:
            return found


class Product(Signed):
    """Makes OEM and model if they are not there, and a product of its own with a key."""

    def __init__(self, cloud, oem, model):
        self.cloud = cloud
        self.oem, self.model = oem, model
        self._make("/oems", {"name": oem})
        self._make("/models", {"oem": oem, "name": model})
        made = call(cloud, "POST", "/products", {"oem": oem, "model": model})
        self.product, self.secret = made["id"], made["secret"]
        self.signer = cloud.signer(self.product)
        self.upstream = HttpUpstream(cloud)

    def _make(self, path, body):
        try:
            call(self.cloud, "POST", path, body)
        except AdminError as error:
            if error.status != 409:
                raise

    def publish(self, version, image, manifest=None, **fields):
        """Creates a version, uploads manifest and package and publishes it."""
        made = self.draft(version, **fields)
        self.cloud.put_package(made["id"], image, manifest)
        return call(self.cloud, "POST", f"/versions/{made['id']}/publish", {})

    def draft(self, version, **fields):
        return call(self.cloud, "POST", "/versions", {"product": self.product, "name": version} | fields)

    def withdraw(self, version):
        for found in items(self.cloud, "/versions", product=self.product, name=version):
            call(self.cloud, "POST", f"/versions/{found['id']}/withdraw", {})

    def deployments(self):
        return items(self.cloud, "/deployments", product=self.product)

    def final_reports(self):
        """(state, code) of the reports that end a session, in the order of their time."""
        reports = [report for deployment in self.deployments()
                   for report in items(self.cloud, f"/deployments/{deployment['id']}/reports")]
        return [(FINAL[report["state"]], report["code"]) for report in reports if report["state"] in FINAL]

    def wait_ready(self, limit_s=5):
        """Until the platform answers."""
        end = time.monotonic() + limit_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.cloud.url}/healthz", timeout=1):
                    return
            except OSError:
                assert time.monotonic() < end, "the platform does not answer"
                time.sleep(0.01)
