# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 token: SoftHSM in a folder of the test's own."""

import subprocess

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, SO_PIN = "471147", "12345678"


class Token:
    """Made by the token's own programs, as the manual page says."""

    def __init__(self, folder, label="fota"):
        self.label = label
        (folder / "tokens").mkdir()
        self.config = folder / "softhsm2.conf"
        self.config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
                               "log.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(self.config)}
        self._run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN)

    def _run(self, *words):
        subprocess.run(words, env={"PATH": "/usr/bin:/bin"} | self.env, check=True, capture_output=True, timeout=30)

    def make_key(self, name, kind="EC:prime256v1", number="01"):
        self._run("pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", PIN, "--keypairgen",
                  "--key-type", kind, "--id", number, "--label", name)
        return self.uri(name)

    def uri(self, name, query=""):
        return f"pkcs11:token={self.label};object={name}{query}"
