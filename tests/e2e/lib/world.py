# SPDX-License-Identifier: Apache-2.0
"""What one test works with: a platform, the fault server before it, modules, hosts."""

import random
import time

from .faultserver import FaultServer
from .host import Host
from .miniplatform import MiniPlatform
from .module import Module, download_slot

OEM, MODEL = "SIMCOM", "7600M21"
PRODUCT, SECRET = "1540907004", "f9bbb0d76f894da090b6b69253616561"
TARGET = "SIM7600M21_LE11_181025_V2.00"
MIB = 1 << 20


def image(size, seed=1):
    """Bytes that no compression and no repetition can mistake for others."""
    source = random.Random(seed)
    return b"".join(source.randbytes(min(1 << 24, size - at)) for at in range(0, size, 1 << 24))


def finish(world, request):
    """Ends a world; what sanitizers and logs tell fails the test."""
    failed = getattr(request.node, "has_failed", False)
    story = world.story()
    complaints = world.close()
    if failed:
        print(story)
    assert not complaints, "\n".join(complaints)


class World:
    """Everything that it starts is ended by close(), which also gives what went
    wrong behind the test's back."""

    def __init__(self, folder, program, seen, platform=None):
        self.folder, self.program, self.seen = folder, program, seen
        self.platform = platform or MiniPlatform(OEM, MODEL, PRODUCT, SECRET)
        self.net = FaultServer(self.platform.upstream if hasattr(self.platform, "upstream") else self.platform)
        self.image = b""
        self._servers, self._modules, self._hosts = [self.net], [], []

    def publish(self, size=256 * 1024, version=TARGET, seed=1, **more):
        """Publishes an image of `size` bytes, signed by the platform's signer."""
        self.image = image(size, seed)
        self.platform.publish(version, self.image, **more)
        return self.image

    def server(self, tls=None, upstream=None):
        """A further fault server before the same platform."""
        server = FaultServer(upstream or self.net.upstream, tls)
        self._servers.append(server)
        return server

    def module(self, *options, server=None, **settings):
        """A running module; its options come last. It trusts the platform's keys unless
        `trust` names others."""
        folder = self.folder / f"module{len(self._modules)}"
        settings.setdefault("trust", self.platform.keys)
        module = Module(self.program, folder, self.net.url if server is None else server, options, **settings)
        self._modules.append(module)
        return module.start()

    def host(self, module, port=0, on=True):
        """A host on a module's line, with the FOTA service switched on."""
        host = Host(module.links[port], self.seen)
        self._hosts.append(host)
        host.settle()
        if on:
            host.ok("AT+CAPFOTA=1")
        return host

    def ready(self, *options, size=256 * 1024, **settings):
        """The usual beginning: an image is published, a module runs, a host is on its line."""
        self.publish(size)
        module = self.module(*options, **settings)
        return module, self.host(module)

    def command(self, oem=None, model=None, product=None, secret=None, target=TARGET, name="CSCFOTA"):
        """The AT command with the platform's own values, some of them replaced."""
        p = self.platform
        values = (oem or p.oem, model or p.model, product or self.text(p.product),
                  secret or self.text(p.secret), target)
        return f"AT+{name}=" + ",".join(f'"{value}"' for value in values)

    @staticmethod
    def text(value):
        return value.decode() if isinstance(value, bytes) else value

    def begin(self, host, **values):
        """Starts a session; the command must be accepted at once."""
        begun = time.monotonic()
        lines = host.ok(self.command(**values), keep=False)
        assert not lines, f"a session's codes before its OK: {lines}\n{host.story()}"
        assert time.monotonic() - begun < 0.1 * self.patience(), "OK later than 100 ms"

    def run(self, host, limit_s=20.0, **values):
        """A whole session; gives its codes."""
        self.begin(host, **values)
        return host.codes(limit_s)

    @staticmethod
    def patience():
        """How much slower than promised a loaded machine with sanitizers may be."""
        return 10

    def packages(self):
        """Package requests that the network saw, in order."""
        return self.net.entries("package")

    @staticmethod
    def slot_holds(module, data):
        """Whether the slot begins with exactly these bytes."""
        with open(download_slot(module), "rb") as slot:
            return slot.read(len(data)) == data

    def close(self):
        """Ends all; gives complaints: sanitizers, exit statuses, secrets in logs."""
        for host in self._hosts:
            host.close()
        for module in self._modules:
            module.stop()
        for server in self._servers:
            server.stop()
        found = [text for module in self._modules for text in module.complaints()]
        secret = self.text(self.platform.secret)
        for module in self._modules:
            if module.log.exists() and secret in module.log.read_text(errors="replace"):
                found.append(f"the product secret is in {module.log.name}")
        return found

    def story(self):
        """What hosts and modules said, for a failure's message."""
        return "\n".join([host.story() for host in self._hosts] + [module.story() for module in self._modules])
