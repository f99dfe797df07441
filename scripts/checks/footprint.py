# SPDX-License-Identifier: Apache-2.0
"""Code, RAM and stack of the library for a Cortex-M3.

Code is what a linker keeps (--gc-sections) of the whole library for the public functions
of a part. Stack is the longest way through the call graph that the compiler writes. Calls through
pointers are followed where the library itself is behind them (`INDIRECT`); ports and
sinks are the caller's, they are counted as 0."""

import re
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

CFLAGS = ["-mcpu=cortex-m3", "-mthumb", "-Os", "-std=c11", "-ffunction-sections", "-fdata-sections",
          "-fcallgraph-info=su", "-Icore/include", "-Icore"]
KIB = 1024

AT = ["at_init", "at_feed", "at_tick", "at_next_ms", "at_complete", "at_urc", "at_reset", "at_basic_table",
      "at_profile_find", "at_get_stats", "at_set_value"]
FOTA = ["at_fota_init", "at_fota_add_port", "at_fota_remove_port", "at_fota_table", "at_fota_notice",
        "at_config_table"]
NETWORK = ["at_network_init", "at_network_add_port", "at_network_remove_port", "at_network_boot", "at_network_table",
           "at_call_table"]
SESSION = ["fota_session_init", "fota_session_start", "fota_session_set_on", "fota_session_cancel",
           "fota_session_abort", "fota_session_http", "fota_session_storage", "fota_session_tick",
           "fota_session_next_ms", "fota_session_is_quiet", "fota_session_is_storing", "fota_session_get",
           "fota_session_get_limits", "fota_session_set_limits", "fota_session_check"]
BOOT = ["fota_boot_run", "fota_boot_select", "fota_boot_adopt"]  # for the boot loader
# Manifests with what they are made of; the makers of manifests (suit_build.c) are in nobody's way, since no
# module links them. SHA-256, HMAC and ECDSA are ports.
MANIFEST = ["fota_suit_get", "fota_suit_verify", "fota_suit_plan", "fota_suit_kid", "fota_uuid_of_names"]
MANIFEST_FILES = {"core/util/cbor.c", "core/util/cose.c", "core/suit/suit.c", "core/suit/suit_commands.c",
                  "core/suit/suit_digest.c", "core/suit/suit_verify.c", "core/suit/suit_build.c", "core/suit/uuid.c"}

INSTALL_FILES = {"core/session/install.c", "core/session/trust.c", "core/boot/boot.c", "core/boot/boot_run.c"}
SESSION_ONLY = "session beyond it, without manifests and installation"
INSTALLATION = "judging an offer, installing it, choosing what boots"
MANIFESTS = "signed manifests with CBOR and COSE"
MANIFEST_RAM = "stack and structs of a manifest"

SIZES = {
    "a port's server": "sizeof(struct at_server) - AT_LINE_BYTES",
    "its part of the FOTA commands": "sizeof(struct at_fota_port)",
    "its part of the network commands": "sizeof(struct at_network_port)",
    "its line": "AT_LINE_BYTES",
    "the session": "sizeof(struct fota_session)",
    "the session's work room, at least": "FOTA_WORK_MIN_BYTES",
    "a manifest taken apart": "sizeof(struct fota_suit)",
    "its plan": "sizeof(struct fota_suit_plan)",
    "the device that it is for": "sizeof(struct fota_suit_device)",
}
PORT = list(SIZES)[:3]
MANIFEST_STRUCTS = list(SIZES)[-3:]

# Functions that call through a pointer, and the sources whose tables are behind it.
INDIRECT = {
    "at_line_run": ("core/at/at_basic.c", "core/at/at_fota.c", "core/at/at_network.c"),
    "session_pump": ("core/session/machine.c",),
    "core/suit/suit_commands.c:run_section": ("core/suit/suit_commands.c",),
}
NOTIFY = ("session_notify", "at_fota_notice")  # the usual wiring
STACK_ROOTS = ["at_feed", "at_tick", "at_complete", "fota_session_start", "fota_session_http",
               "fota_session_storage", "fota_session_tick", "fota_boot_run", "fota_suit_get", "fota_suit_verify",
               "fota_suit_plan"]
MANIFEST_STACK = STACK_ROOTS[-3:]

LIMITS = {  # bytes
    "AT server with V.250 and FOTA commands": 12 * KIB,
    SESSION_ONLY: 16 * KIB,
    INSTALLATION: 5 * KIB,
    MANIFESTS: 10 * KIB,
    "static RAM": 0,
    "a port besides its line": 512,
    MANIFEST_RAM: 1536,
}


@dataclass
class Measured:
    compiler: str = ""
    code: dict = field(default_factory=dict)   # part: bytes
    files: list = field(default_factory=list)  # (source, text, data, bss)
    sizes: dict = field(default_factory=dict)  # what: bytes
    stack: dict = field(default_factory=dict)  # function: bytes
    frames: list = field(default_factory=list)  # (bytes, function), the largest


def _run(root, *words):
    return subprocess.run([str(word) for word in words], cwd=root, capture_output=True, text=True, check=True).stdout


def _compile(root, out):
    """Object of each source."""
    out.mkdir(parents=True, exist_ok=True)
    objects = {}
    for name in (root / "core/sources.txt").read_text().split():
        objects[name] = out / (name.replace("/", "_").removesuffix(".c") + ".o")
        _run(root, "arm-none-eabi-gcc", *CFLAGS, "-c", name, "-o", objects[name])
    return objects


def _linked(root, out, objects, roots):
    """Bytes of code and constants that a program needs that uses these functions."""
    program = out / "linked.elf"
    words = [word for name in roots for word in ("-u", name)]
    _run(root, "arm-none-eabi-ld", "--gc-sections", "--unresolved-symbols=ignore-all", "-e", "0", *words, *objects,
         "-o", program)
    return int(_run(root, "arm-none-eabi-size", program).splitlines()[1].split()[0])


def _code(root, out, objects):
    whole = list(objects.values())
    plain = [path for name, path in objects.items() if name not in MANIFEST_FILES]
    at_only = [path for name, path in objects.items() if "core/session" not in name]
    at = _linked(root, out, at_only, AT)
    commands = _linked(root, out, at_only, AT + FOTA)
    session = _linked(root, out, plain, AT + FOTA + SESSION + BOOT)
    missing = (MANIFEST_FILES | INSTALL_FILES) - set(objects)
    if missing:
        raise ValueError(f"counted by themselves, but not in core/sources.txt: {', '.join(sorted(missing))}")
    downloading = [path for name, path in objects.items() if name not in MANIFEST_FILES | INSTALL_FILES]
    session_only = _linked(root, out, downloading, AT + FOTA + SESSION)
    return {
        "AT server with V.250 commands": at,
        "FOTA commands": commands - at,
        "AT server with V.250 and FOTA commands": commands,
        SESSION_ONLY: session_only - commands,
        INSTALLATION: session - session_only,
        MANIFESTS: _linked(root, out, whole, AT + FOTA + SESSION + BOOT + MANIFEST) - session,
        "network commands of the virtual module": _linked(root, out, at_only, AT + FOTA + NETWORK) - commands,
    }


def _files(root, objects):
    found = []
    for name, path in objects.items():
        text, data, bss = map(int, _run(root, "arm-none-eabi-size", path).splitlines()[1].split()[:3])
        found.append((name, text, data, bss))
    return found


def _sizes(root, out):
    probe = out / "probe.c"
    lines = ['#include "fota/at_fota.h"', '#include "fota/at_network.h"', '#include "fota/suit.h"']
    lines += [f"extern char probe_{i}[{text}]; char probe_{i}[{text}];" for i, text in enumerate(SIZES.values())]
    probe.write_text("\n".join(lines) + "\n")
    _run(root, "arm-none-eabi-gcc", *CFLAGS, "-c", probe, "-o", out / "probe.o")
    text = _run(root, "arm-none-eabi-nm", "-S", out / "probe.o")
    sizes = {name: int(size, 16) for size, name in re.findall(r"^\w+ (\w+) \w (probe_\d+)$", text, re.M)}
    return {what: sizes[f"probe_{i}"] for i, what in enumerate(SIZES)}


# ---- stack ----

NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \((\w+)\)')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def _tables(root, source, path):
    """Functions that the constants of an object point to: "name", or "source:name" for a
    static one."""
    found, is_constant = set(), False
    for line in _run(root, "arm-none-eabi-objdump", "-r", path).splitlines():
        section = re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line)
        if section:
            is_constant = section.group(1).startswith((".rodata", ".data.rel.ro"))
        elif is_constant and "R_ARM_ABS32" in line:
            symbol = line.split()[-1]
            found |= {symbol, f"{source}:{symbol.removeprefix('.text.')}"}
    return found


def _graph(root, objects):
    frames, calls = {}, {}
    for path in objects.values():
        for line in path.with_suffix(".ci").read_text().splitlines():
            node, edge = NODE.match(line), EDGE.match(line)
            if node and node.group(3) != "static":
                raise ValueError(f"{node.group(1)}: its frame has no fixed size")
            if node:
                frames[node.group(1)] = int(node.group(2))
            elif edge:
                calls.setdefault(edge.group(1), set()).add(edge.group(2))
    for name, sources in INDIRECT.items():
        if "__indirect_call" not in calls.get(name, ()):
            raise ValueError(f"{name} is said to call through a pointer, but does not")
        for source in sources:
            calls[name] |= _tables(root, source, objects[source])
    calls.setdefault(NOTIFY[0], set()).add(NOTIFY[1])
    return frames, calls


def depth_of(frames, calls):
    """A function that gives the longest way from another one; recursion is an error."""
    active = set()

    @lru_cache(None)
    def depth(name):
        if name in active:
            raise ValueError(f"{name} calls itself")
        active.add(name)
        most = max((depth(target) for target in calls.get(name, ()) if target in frames), default=0)
        active.remove(name)
        return frames[name] + most
    return depth


def measure(root, out):
    root, out = Path(root), Path(out)
    objects = _compile(root, out)
    frames, calls = _graph(root, objects)
    depth = depth_of(frames, calls)
    return Measured(
        compiler=_run(root, "arm-none-eabi-gcc", "--version").splitlines()[0],
        code=_code(root, out, objects),
        files=_files(root, objects),
        sizes=_sizes(root, out),
        stack={name: depth(name) for name in STACK_ROOTS},
        frames=sorted(((size, name) for name, size in frames.items()), reverse=True)[:8],
    )


# ---- judging and telling ----

def _limited(measured):
    values = dict(measured.code)
    values["static RAM"] = sum(data + bss for _, _, data, bss in measured.files)
    values["a port besides its line"] = sum(measured.sizes[what] for what in PORT)
    values[MANIFEST_RAM] = (max(measured.stack[name] for name in MANIFEST_STACK)
                            + sum(measured.sizes[what] for what in MANIFEST_STRUCTS))
    return {what: values[what] for what in LIMITS}


def broken_limits(measured):
    return [f"{what}: {value} bytes, the limit is {LIMITS[what]}" for what, value in _limited(measured).items()
            if value > LIMITS[what]]


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def report(measured):
    """docs/FOOTPRINT.md."""
    lines = [
        "# Footprint", "",
        "What `core/` costs on a Cortex-M3 with `-Os`, in bytes. `make size` prints this page and `scripts/size --write`",
        "renews it; `make check` fails if a limit is broken or a number has moved by more than 3 %.", "",
        f"Compiler: `{measured.compiler}`.", "",
        "## Limits", "",
        *_table(("what", "bytes", "limit"), [(what, value, LIMITS[what]) for what, value in _limited(measured).items()]),
        "",
        "Static RAM is that of the library; all state is in structs of the caller. SHA-256, HMAC and ECDSA are ports and",
        "not counted. CBOR and COSE, which the session's messages use as well, are counted with the manifests and not with",
        "the session. The RAM of a manifest is the deepest stack of `fota_suit_get`, `_verify` and `_plan`, and the three",
        "structs that they fill; the envelope itself stays where it arrived.", "",
        "## Code", "",
        "What a linker keeps for the public functions of a part. The texts of the result codes belong to the AT server, which",
        "shows them.", "",
        *_table(("part", "bytes"), measured.code.items()), "",
        "## RAM", "",
        *_table(("struct", "bytes"), measured.sizes.items()), "",
        "## Stack", "",
        "The longest way through the call graph, handlers and actions included, without what the caller's ports and sink use.",
        "`session_notify` is taken to lead to `at_fota_notice`.", "",
        *_table(("function", "bytes"), ((f"`{name}`", size) for name, size in measured.stack.items())), "",
        "Largest frames: " + ", ".join(f"`{name.split(':')[-1]}` {size}" for size, name in measured.frames) + ".", "",
        "## Files", "",
        "Each with all its functions, used or not.", "",
        *_table(("file", "text", "data", "bss"), measured.files), "",
    ]
    return "\n".join(lines)


def _is_close(old, new):
    """Small changes of the code do not make the page wrong."""
    return abs(int(old) - int(new)) <= max(64, int(new) * 3 // 100)


def outdated(root, text):
    """What --check says about the page: its text and, with the same compiler, its numbers
    but for those of single files."""
    page = Path(root) / "docs/FOOTPRINT.md"
    if not page.is_file():
        return ["docs/FOOTPRINT.md is missing: run scripts/size --write"]
    old, new = (part.split("\n## Files")[0] for part in (page.read_text(encoding="utf-8"), text))
    compiler = re.search(r"^Compiler: .*$", new, re.M)
    if compiler and compiler.group() not in old:
        return []
    numbers = re.compile(r"\d+")
    is_same_text = numbers.sub("0", old.split("Largest frames")[0]) == numbers.sub("0", new.split("Largest frames")[0])
    is_close = all(map(_is_close, numbers.findall(old), numbers.findall(new)))
    return [] if is_same_text and is_close else ["docs/FOOTPRINT.md is not current: run scripts/size --write"]
