# SPDX-License-Identifier: Apache-2.0
"""The result codes, read from the one list that the project keeps."""

import re
from pathlib import Path

HEADER = Path(__file__).resolve().parents[3] / "core/include/fota/code.h"
ROW = re.compile(r'ROW\((\w+),\s+(\d+),\s+([PERX]),\s+"([^"]*)",')

CODES = {int(number): (name, kind, text) for name, number, kind, text in ROW.findall(HEADER.read_text())}
TEXT = {number: text for number, (_, _, text) in CODES.items()}
# Codes after which a session goes on.
PROGRESS = {2, 4}
