# SPDX-License-Identifier: Apache-2.0
"""Who signs the packages of a product, and in which order."""

import itertools

from . import suit


class Signer:
    """The keys of one product. Every manifest is newer than those before."""

    def __init__(self, *keys):
        self.keys = list(keys) or [suit.Key()]
        self._numbers = itertools.count(1)

    def sign(self, oem, model, version, image, sequence=None, keys=None, **wrong):
        """A manifest; what shall be wrong with it goes to suit.package()."""
        number = next(self._numbers) if sequence is None else sequence
        return suit.package(oem, model, version, image, number, self.keys if keys is None else keys, **wrong)


class Signed:
    """What has a `signer` and the names of one product."""

    def sign(self, version, image, **wrong):
        """A manifest for `image` as `version` of this product."""
        return self.signer.sign(self.oem, self.model, version, image, **wrong)

    def sign_as(self, version, size, digest, **wrong):
        """A manifest for an image that nobody has, but for its size and SHA-256."""
        image = suit.both(suit.parameter(suit.SIZE, size),
                          suit.parameter(suit.DIGEST, suit.encode([suit.SHA256, digest])))
        return self.sign(version, b"", change=image, **wrong)

    @property
    def keys(self):
        """The keys that a module of this product trusts."""
        return self.signer.keys
