# SPDX-License-Identifier: Apache-2.0
"""The project's own rules about its files. Each rule takes the root of a tree and
gives a list of complaints, so that a test can show it a tree that breaks it."""

import re
import subprocess
from pathlib import Path

CORE_HEADERS = {"limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
# What a compiler may call by itself, and the string functions of CORE_HEADERS.
CORE_SYMBOLS = re.compile(r"^(mem(cpy|move|set|cmp|chr)|str(len|nlen|cmp|ncmp|chr)|__aeabi_\w+|__gnu_thumb1_\w+)$")
FUNCTION_LINES_MAX = 100
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(work|root|home|farm|Users)/")
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"
ARM = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-Os", "-std=c11", "-Wall", "-Wextra", "-Werror",
       "-ffunction-sections", "-fdata-sections", "-Icore/include", "-Icore", "-c"]


def tracked(root, *patterns):
    """The files that git knows, new ones included, as paths below root."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                          cwd=root, capture_output=True, text=True, check=True)
    return sorted(name for name in set(done.stdout.splitlines()) if (Path(root) / name).is_file())


def _text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def core_includes(root):
    """core/ includes five standard headers and its own files, nothing else."""
    found = []
    for name in tracked(root, "core/*.c", "core/*.h"):
        path = Path(root) / name
        places = [path.parent, Path(root) / "core", Path(root) / "core/include"]
        for number, line in enumerate(_text(path).splitlines(), start=1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            is_own = any((place / header).is_file() for place in places)
            if not (header in CORE_HEADERS if kind == "<" else is_own):
                found.append(f"{name}:{number}: core must not include {header}")
    return found


def machine_paths(root):
    """No file names a place of one machine."""
    found = []
    for name in tracked(root):
        for number, line in enumerate(_text(Path(root) / name).splitlines(), start=1):
            if MACHINE_PATH.search(line) and "MACHINE_PATH" not in line:
                found.append(f"{name}:{number}: a path of one machine")
    return found


def licence_lines(root):
    """Every C file begins with the licence's short name."""
    return [f"{name}:1: the first line must be {SPDX}" for name in tracked(root, "*.c", "*.h")
            if not _text(Path(root) / name).startswith(SPDX + "\n")]


def _functions(lines):
    """(number of the first line, lines) of each function body, braces in column 0."""
    begun = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("{"):
            begun = number
        elif line.startswith("}") and begun:
            yield begun, lines[begun - 1:number]
            begun = None


def functions(root):
    """A function has at most 100 lines, and no #if in it."""
    found = []
    for name in tracked(root, "*.c"):
        for begun, body in _functions(_text(Path(root) / name).splitlines()):
            if len(body) > FUNCTION_LINES_MAX:
                found.append(f"{name}:{begun}: {len(body)} lines, {FUNCTION_LINES_MAX} are allowed")
            found += [f"{name}:{begun + i}: #if inside a function" for i, line in enumerate(body)
                      if re.match(r"\s*#\s*if", line)]
    return found


def formatted(root):
    """clang-format would change nothing."""
    names = tracked(root, "*.c", "*.h")
    if not names:
        return ["no C files at all"]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=root, capture_output=True, text=True)
    return done.stderr.splitlines() if done.returncode else []


def core_on_arm(root, out, say=print):
    """core/ builds for a Cortex-M3 from its list alone, without data and foreign symbols.
    Objects go to `out`; the sizes are said."""
    names = (Path(root) / "core/sources.txt").read_text().split()
    out.mkdir(parents=True, exist_ok=True)
    objects = []
    found = []
    for name in names:
        objects.append(str(out / (name.replace("/", "_") + ".o")))
        done = subprocess.run([*ARM, name, "-o", objects[-1]], cwd=root, capture_output=True, text=True)
        if done.returncode:
            return found + [f"{name} does not build for arm:"] + done.stderr.splitlines()
    return found + _sections(objects, say) + _symbols(objects)


def _sections(objects, say):
    done = subprocess.run(["arm-none-eabi-size", *objects], capture_output=True, text=True, check=True)
    found, sums = [], [0, 0, 0]
    for line in done.stdout.splitlines()[1:]:
        text, data, bss, _, _, name = line.split(None, 5)
        sums = [total + int(more) for total, more in zip(sums, (text, data, bss))]
        if int(data) or int(bss):
            found.append(f"{Path(name).name}: data {data}, bss {bss}: core has no mutable data")
    say(f"core on cortex-m3: text {sums[0]}, data {sums[1]}, bss {sums[2]}")
    return found


def _symbols(objects):
    needed, own = set(), set()
    done = subprocess.run(["arm-none-eabi-nm", "-g", *objects], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "U":
            needed.add(words[1])
        elif len(words) == 3:
            own.add(words[2])
    return [f"core must not call {name}" for name in sorted(needed - own) if not CORE_SYMBOLS.match(name)]


def options_described(help_text, page):
    """Each option that --help names is in the manual page as well."""
    plain = page.replace("\\-", "-").replace("\\", "")
    options = sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", help_text)))
    if not options:
        return ["--help names no option"]
    return [f"{option} is not in the manual page" for option in options
            if not re.search(re.escape(option) + r"(?![a-z0-9-])", plain)]
