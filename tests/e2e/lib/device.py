# SPDX-License-Identifier: Apache-2.0
"""A module's side of the device API in Python: asks a platform without a module."""

import os
import time
import urllib.error
import urllib.request

from . import wire

LIMIT_S = 30


class Device:
    """One module of one product, at a platform's URL."""

    def __init__(self, url, product, secret, oem, model, device="860000000000019", version="V1.00"):
        self.url = url
        self.kid, self.secret = product.encode(), secret.encode()
        self.names = {"oem": oem, "model": model, "device": device, "version": version}

    def post(self, path, body, content_type=wire.CONTENT_TYPE):
        """(status, body) of a plain POST."""
        request = urllib.request.Request(self.url + path, body, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def check_fields(self, target, changes=()):
        """The fields of a check; a change to None leaves a field out."""
        fields = {"nonce": os.urandom(16), "time": int(time.time()), **self.names, "target": target,
                  "slot": 1 << 30, "accept": [0]} | dict(changes)
        return {name: value for name, value in fields.items() if value is not None}

    def report_fields(self, deployment, state, **changes):
        fields = {"nonce": os.urandom(16), "time": int(time.time()), "device": self.names["device"],
                  "deployment": deployment, "id": os.urandom(16), "state": state,
                  "version": self.names["version"]} | changes
        return {name: value for name, value in fields.items() if value is not None}

    def exchange(self, path, fields, payload=None):
        """Sends fields (or the bytes of a payload); gives the status, and the answer's
        fields if there is an authentic one."""
        message = wire.seal(self.secret, self.kid, wire.keyed(fields) if payload is None else payload)
        status, body = self.post(path, message)
        if status != 200:
            return status, body
        tag = wire.take_apart(message)[2]
        return status, wire.named(wire.unseal(self.secret, body, tag))

    def check(self, target, changes=()):
        return self.exchange(wire.CHECK_PATH, self.check_fields(target, changes))

    def report(self, deployment, state, **changes):
        return self.exchange(wire.REPORT_PATH, self.report_fields(deployment, state, **changes))

    def get(self, path, **headers):
        """(status, headers, body) of a GET; header names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(path if "://" in path else self.url + path, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()
