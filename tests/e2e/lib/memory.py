# SPDX-License-Identifier: Apache-2.0
"""What a running program has in its memory. Programs with secrets are closed to all but the
superuser, so that only root can look."""

import os
import re

import pytest

REGION_MAX_BYTES = 1 << 30  # a sanitizer's shadow is larger, and holds no copies


def needs_root():
    if os.geteuid() != 0:
        pytest.skip("only root can look into a program that guards its memory")


def regions(pid):
    """The private regions that can be read and written: (start, bytes)."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            match = re.match(r"(\w+)-(\w+) rw", line)
            start, end = (int(word, 16) for word in match.groups()) if match else (0, 0)
            if not 0 < end - start <= REGION_MAX_BYTES:
                continue
            memory.seek(start)
            yield start, memory.read(end - start)


def places(pid, secret):
    """What stands around each copy of `secret`."""
    found = []
    for _, data in regions(pid):
        found += [data[max(0, at.start() - 24):at.end() + 24] for at in re.finditer(re.escape(secret), data)]
    return found
