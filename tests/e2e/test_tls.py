# SPDX-License-Identifier: Apache-2.0
"""Module and platform over TLS, with nothing between them."""

import pytest

from lib import tls
from lib.cloud import Cloud
from lib.product import Product
from lib.world import MIB, MODEL, OEM, World, finish


@pytest.fixture
def secure(tmp_path, build, atfotad, seen_codes, request, monkeypatch):
    """A world whose platform speaks TLS alone; and its authority's certificate."""
    authority = tls.Authority(tmp_path)
    authority.server("good")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # for the administrator's calls
    pem = tmp_path / "good.pem"
    with Cloud(build / "cloud/atfota-cloud", tmp_path / "cloud", "--tls-cert", str(pem), "--tls-key", str(pem),
               tls=True) as cloud:
        world = World(tmp_path, atfotad, seen_codes, Product(cloud, OEM, MODEL))
        yield world, cloud.url, str(authority.path)
        finish(world, request)


@pytest.mark.release
def test_an_upgrade_over_tls(secure):
    world, url, ca = secure
    data = world.publish(3 * MIB)
    module = world.module("--ca", ca, server=url)
    host = world.host(module)
    assert world.run(host) == [2, 3]
    assert world.slot_holds(module, data)


def test_a_platform_that_the_module_does_not_know_is_not_asked(secure, tmp_path):
    world, url, _ = secure
    other = tmp_path / "other"
    other.mkdir()
    world.publish()
    host = world.host(world.module("--ca", str(tls.Authority(other).path), server=url))
    assert world.run(host) == [503]
