# SPDX-License-Identifier: Apache-2.0
"""The platform's device API in a few lines of Python.

It is written from the specification, shares no code with the project, and can
give every authentic answer, sensible or not: those that a correct platform
gives too seldom to wait for, and those that only a broken one would give.
"""

import hashlib
import threading
import time

from . import wire
from .httpwire import Answer
from .signing import Signed, Signer

CLOCK_SKEW_S = 300
# In place of a manifest: one that is signed for the size and the digest of the answer.
ANEW = object()
FIELDS_OF_A_REPORT = {"nonce", "time", "device", "deployment", "id", "state", "version"}


class MiniPlatform(Signed):
    """Serves one product. `answer(request)` makes it an upstream of the fault server."""

    def __init__(self, oem, model, product, secret):
        self.oem, self.model = oem, model
        self.product, self.secret = product.encode(), secret.encode()
        self.signer = Signer()
        self.clock_offset_s = 0
        self.checks = []
        self.reports = []
        self._packages = {}  # target version -> (bytes, manifest)
        self._blobs = {}  # path -> (etag, bytes)
        self._scripts = []
        self._lock = threading.Lock()

    def publish(self, version, image, manifest=None, **wrong):
        """Offers `image` as `version`; what had the version before is gone. The manifest is
        made here if none is given."""
        digest = hashlib.sha256(image).hexdigest()
        self._packages[version] = image, self.sign(version, image, **wrong) if manifest is None else manifest
        self._blobs[f"/package/{digest}"] = (f'"{digest}"', image)

    def swap(self, version, image):
        """Puts other bytes behind the links of `version` that are out already."""
        old = hashlib.sha256(self._packages[version][0]).hexdigest()
        new = hashlib.sha256(image).hexdigest()
        self._blobs[f"/package/{old}"] = (f'"{new}"', image)

    def script(self, change, times=1):
        """The next checks' answers go through `change(answer, request)`, which returns
        a map of names or the payload's bytes."""
        self._scripts += [change] * times

    def unscript(self):
        """The next checks are answered as usual again."""
        self._scripts.clear()

    def refuse(self, result, times=1, **extra):
        """The next checks are refused with `result`."""
        self.script(lambda answer, _: {"result": result, "time": answer["time"]} | extra, times)

    def now(self):
        return int(time.time()) + self.clock_offset_s

    def final_reports(self):
        """States and codes of the reports that end a session, each report once."""
        seen = {report["id"]: report for report in self.reports if report["state"] in (3, 7, 8)}
        return [(report["state"], report.get("code")) for report in seen.values()]

    # The upstream of the fault server.

    def answer(self, request):
        with self._lock:
            if request.method == "POST" and request.path in (wire.CHECK_PATH, wire.REPORT_PATH):
                return self._post(request)
            if request.method in ("GET", "HEAD") and request.path in self._blobs:
                return _serve(*self._blobs[request.path], request)
        return Answer.of(404)

    def _post(self, request):
        if request.headers.get("content-type") != wire.CONTENT_TYPE:
            return Answer.of(415)
        try:
            kid, _, tag, _ = wire.take_apart(request.body)
            payload = wire.unseal(self.secret, request.body)
        except wire.WireError:
            return Answer.of(403)
        if kid != self.product:
            return Answer.of(403)
        handle = self._check if request.path == wire.CHECK_PATH else self._report
        body = wire.seal(self.secret, kid, handle(payload), aad=tag)
        return Answer.of(200, body, Content_Type=wire.CONTENT_TYPE)

    def _check(self, payload):
        request = wire.named(payload)
        self.checks.append(request)
        answer = self._decide(request)
        if self._scripts:
            answer = self._scripts.pop(0)(answer, request)
        if isinstance(answer, dict) and answer.get("manifest") is ANEW:
            answer["manifest"] = self.sign_as(request["target"], answer["size"], answer["digest"])
        return answer if isinstance(answer, bytes) else wire.keyed(answer)

    def _decide(self, request):
        now = self.now()
        if abs(request["time"] - now) > CLOCK_SKEW_S:
            return {"result": 7, "time": now}
        if (request["oem"], request["model"]) != (self.oem, self.model):
            return {"result": 3, "time": now}
        image, manifest = self._packages.get(request["target"], (None, None))
        if image is None or request["version"] == request["target"]:
            return {"result": 1, "time": now}
        digest = hashlib.sha256(image)
        return {
            "result": 0, "time": now, "deployment": "d1", "manifest": manifest,
            "url": f"/package/{digest.hexdigest()}", "size": len(image),
            "digest": digest.digest(), "encoding": 0,
        }

    def _report(self, payload):
        report = wire.named(payload)
        missing = FIELDS_OF_A_REPORT - set(report)
        self.reports.append(report)
        return wire.keyed({"result": 4 if missing else 0, "time": self.now()})


def _serve(etag, data, request):
    """RFC 9110: Range, If-Range, 206 and 416 for one open range."""
    start = request.range_start
    headers = {"ETag": etag, "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
    if start is None or request.headers.get("if-range", etag) != etag:
        return Answer(200, headers, [data], len(data))
    if start >= len(data):
        return Answer(416, headers | {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return Answer(206, headers, [data[start:]], len(data) - start)
