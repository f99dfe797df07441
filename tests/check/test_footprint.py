# SPDX-License-Identifier: Apache-2.0
"""The footprint check can fail."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from checks import footprint  # noqa: E402


def measured(at=100, session=100, install=100, manifest=100, port=100, data=0, stack=8):
    parts = [name for name in footprint.LIMITS]
    sizes = {what: port for what in footprint.SIZES} | {what: 100 for what in footprint.MANIFEST_STRUCTS}
    return footprint.Measured(
        compiler="cc 1", code=dict(zip(parts, (at, session, install, manifest))), files=[("core/x.c", 5, data, 0)],
        sizes=sizes, stack={name: 8 for name in footprint.STACK_ROOTS} | {"fota_suit_plan": stack}, frames=[(8, "f")])


def test_what_keeps_the_limits_is_no_complaint():
    assert footprint.broken_limits(measured()) == []


@pytest.mark.parametrize("broken", [{"at": 12289}, {"session": 16385}, {"install": 5121}, {"manifest": 10241},
                                    {"port": 171}, {"data": 1}, {"stack": 1237}])
def test_each_limit_can_be_broken(broken):
    assert len(footprint.broken_limits(measured(**broken))) == 1


def test_the_page_must_be_there_and_be_current(tmp_path):
    text = footprint.report(measured(at=5000))
    assert "missing" in footprint.outdated(tmp_path, text)[0]
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs/FOOTPRINT.md"
    page.write_text(text)
    assert footprint.outdated(tmp_path, text) == []
    assert footprint.outdated(tmp_path, footprint.report(measured(at=5100))) == []
    assert footprint.outdated(tmp_path, footprint.report(measured(at=5400))) != []
    assert footprint.outdated(tmp_path, text.replace("Stack", "Stacks")) != []
    page.write_text(text.replace("cc 1", "cc 2"))
    assert footprint.outdated(tmp_path, text) == []


def test_the_longest_way_is_found_and_recursion_refused():
    frames = {"a": 8, "b": 16, "c": 4}
    assert footprint.depth_of(frames, {"a": {"b", "c", "port"}, "c": {"b"}})("a") == 28
    with pytest.raises(ValueError):
        footprint.depth_of(frames, {"a": {"b"}, "b": {"a"}})("a")
