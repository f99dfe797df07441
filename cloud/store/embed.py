# SPDX-License-Identifier: Apache-2.0
"""Makes one C file of the numbered migrations: embed.py OUT.c 0001_x.sql 0002_y.sql ...

The numbers must run from 1 without a gap: what was released is never renumbered."""
import pathlib
import sys


def literal(text):
    """The text as C string literals, one a line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'\t  "{line}\\n"' for line in escaped.splitlines())


def main(out, *names):
    paths = sorted(map(pathlib.Path, names), key=lambda path: path.name)
    numbers = [int(path.name.split("_")[0]) for path in paths]
    if numbers != list(range(1, len(numbers) + 1)):
        sys.exit(f"migrations must be numbered 1, 2, 3, ...: found {numbers}")
    rows = "".join(f'\t{{ {n}, "{p.stem}",\n{literal(p.read_text())} }},\n' for n, p in zip(numbers, paths))
    pathlib.Path(out).write_text(
        "/* Made from cloud/store/migrations by embed.py. */\n"
        '#include "store/migrate.h"\n\n'
        f"const struct cloud_migration cloud_migrations[] = {{\n{rows}}};\n"
        f"const unsigned cloud_migration_count = {len(numbers)};\n"
    )


main(*sys.argv[1:])
