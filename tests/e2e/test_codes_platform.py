# SPDX-License-Identifier: Apache-2.0
"""Result codes that the real platform decides."""

import pytest

from lib.codes import TEXT
from lib.module import IDENTITY
from lib.world import MODEL, OEM, TARGET, image

REFUSALS = [
    ("wrong product ID", {"product": "99999999"}, 402),
    ("wrong secret", {"secret": "0123456789abcdef0123456789abcdef"}, 402),
    ("wrong OEM", {"oem": "OTHER"}, 401),
    ("wrong case of the OEM", {"oem": OEM.lower()}, 401),
    ("unpublished target", {"target": "V9.99"}, 5),
]


@pytest.mark.parametrize("values,code", [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
@pytest.mark.release
def test_a_wrong_parameter_causes_its_code(world, values, code):
    _, host = world.ready()
    assert world.run(host, **values) == [code]
    assert host.last() == (code, TEXT[code], "check", values.get("target", TARGET))
    assert world.run(host) == [2, 3]


def test_a_wrong_model_causes_401(world):
    """A module that has the model that the command names, but not the product's."""
    world.publish()
    identity = [word if word != MODEL else "OTHER" for word in IDENTITY]
    host = world.host(world.module(identity=identity))
    assert world.run(host, model="OTHER") == [401]


def test_a_module_that_is_up_to_date_gets_5(world):
    world.publish()
    identity = IDENTITY[:-1] + [TARGET]
    host = world.host(world.module(identity=identity))
    assert world.run(host) == [5]


def test_a_draft_is_not_offered(world):
    world.platform.draft(TARGET)
    host = world.host(world.module())
    assert world.run(host) == [5]


def test_a_withdrawn_version_is_not_offered(world):
    _, host = world.ready()
    world.platform.withdraw(TARGET)
    assert world.run(host) == [5]


def test_a_source_version_that_the_platform_demands_and_does_not_know_causes_404(world):
    world.platform.draft("V1.50")
    world.platform.publish(TARGET, image(5000), **{"from": ["V1.50"]})
    host = world.host(world.module())
    assert world.run(host) == [404]
    host = world.host(world.module(identity=IDENTITY[:-1] + ["V1.50"]))
    assert world.run(host) == [2, 3]


def test_a_module_of_another_source_version_gets_5(world):
    world.platform.draft("V1.00")
    world.platform.draft("V1.50")
    world.platform.publish(TARGET, image(5000), **{"from": ["V1.50"]})
    host = world.host(world.module())
    assert world.run(host) == [5]


def test_the_session_of_the_manual_to_the_byte(world):
    _, host = world.ready()
    want = b"\r\nOK\r\n\r\n+CSCFOTA: 2\r\n\r\n+CSCFOTA: 3\r\n"
    host.write(world.command().encode() + b"\r")
    got = host.bytes_until(b"+CSCFOTA: 3\r\n")
    assert got == want
    host.quiet()
