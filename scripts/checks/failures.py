# SPDX-License-Identifier: Apache-2.0
"""What failed, told once more at the very end: who sees only the last lines of a long
output knows what to look for."""

import re
from dataclasses import dataclass, field

LINES_MAX = 20  # of all that is told at the end
DETAILS_MAX = 6  # lines of one failure
WIDTH_MAX = 300
# Lines that say what is wrong, by compilers, test programs, sanitizers and fuzzers.
TELLING = re.compile(r"\berror\b|\bERROR\b|FAILED|SUMMARY|property broken|[Aa]ssert|REPLAY=|Error:|not done within")


@dataclass
class Failure:
    name: str
    lines: list = field(default_factory=list)  # what is known about it, most telling first


def telling(lines):
    """The lines of an output that say most: those that name an error, else the last ones."""
    lines = [line.rstrip() for line in lines if line.strip()]
    found = [line for line in lines if TELLING.search(line)]
    return [line[:WIDTH_MAX] for line in (found[:DETAILS_MAX] or lines[-DETAILS_MAX:])]


def told(failures, limit=LINES_MAX):
    """At most `limit` lines: each failure by name as long as there is room, and of each as many
    details as its share of the rest allows."""
    if not failures:
        return []
    shown = failures if len(failures) <= limit else failures[:limit - 1]
    share = min((limit - len(shown)) // len(shown), DETAILS_MAX)
    lines = []
    for failure in shown:
        lines += [f"FAILED {failure.name}", *("  " + line for line in failure.lines[:share])]
    if len(shown) < len(failures):
        lines.append(f"and {len(failures) - len(shown)} more, see the logs")
    return lines
