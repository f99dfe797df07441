#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""AT lines per second through `atfotad --stdio`, and the CPU time of a line of 300 characters.

usage: bench_at.py [PROGRAM]

PROGRAM is atfotad, or any program of the same build directory. Pipelined lines come from a file
and are compared with cat; each answer is counted, so that nothing is measured that was lost.
One at a time: the next line is sent when the answer of the last one is there."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ("build/release", "build/check-gcc", "build")
PIPELINED = 200_000
LONG = 50_000
ALTERNATING = 20_000
GOAL_US = 10.0
OK = b"\r\nOK\r\n"
LONG_BYTES = 300


def program():
    if len(sys.argv) > 1:
        named = Path(sys.argv[1])
        found = [named if named.name == "atfotad" else named.parents[1] / "module/atfotad"]
    else:
        found = [ROOT / build / "module/atfotad" for build in BUILDS]
    for path in found:
        if path.is_file():
            return path
    sys.exit("no atfotad is built; build it (make build), or name it as the first argument")


def run(words, given):
    """(seconds, CPU seconds, output) of a program that reads a file and writes a file."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.write_bytes(given)
        words = [str(folder) if word is STATE else str(word) for word in words]
        with open(source, "rb") as stdin, open(target, "wb") as stdout:
            begun = time.monotonic()
            process = subprocess.Popen(words, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
        assert status == 0, f"{words[0]} failed"
        return seconds, usage.ru_utime + usage.ru_stime, target.read_bytes()


STATE = object()


def module(lines, answers):
    """(seconds, CPU seconds) of lines through the module; each must be answered."""
    words = [program(), "--stdio", "--state", STATE, "--log-level", "error"]
    _, idle_cpu, _ = run(words, b"")
    seconds, cpu, out = run(words, b"ATE0\r" + lines)
    assert out.count(OK) == answers + 1, f"{out.count(OK) - 1} answers of {answers}"
    return seconds, cpu - idle_cpu


def long_line():
    """A read that ends behind 300 characters: every character is looked at, little is done."""
    head = b"AT+CAPFOTA=0;+CMEE=0;+CMEE=0;+CMEE"
    return head + b" " * (LONG_BYTES - len(head) - 3) + b"=0\r"


def string_line():
    """The whole FOTA command; the service is off, so that it is read in full and refused."""
    values = [b"A" * 64, b"B" * 64, b"1" * 20, b"c" * 64]
    head = b"AT+CSCFOTA=" + b",".join(b'"%s"' % value for value in values)
    return head + b',"' + b"v" * (LONG_BYTES - len(head) - 4) + b'"\r'


def alternating():
    """Lines per second when each waits for its answer."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([program(), "--stdio", "--state", folder, "--log-level", "error"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

        def send(line, echo=b""):
            process.stdin.write(line)
            out = b""
            while out != echo + OK:
                out += process.stdout.read(64)

        send(b"ATE0\r", b"ATE0\r")
        begun = time.monotonic()
        for _ in range(ALTERNATING):
            send(b"AT\r")
        seconds = time.monotonic() - begun
        process.stdin.close()
        process.wait(10)
    return ALTERNATING / seconds


def microseconds(line, count, final):
    words = [program(), "--stdio", "--state", STATE, "--log-level", "error"]
    _, idle_cpu, _ = run(words, b"")
    _, cpu, out = run(words, b"ATE0\r" + line * count)
    found = out.count(final)
    assert found >= count, f"{found} answers of {count}"
    return (cpu - idle_cpu) / count * 1e6


def main():
    assert len(long_line()) == len(string_line()) == LONG_BYTES
    given = b"AT\r" * PIPELINED
    seconds, cpu = module(given, PIPELINED)
    cat_s, _, _ = run(["cat"], given)
    print(f"AT, pipelined           {PIPELINED / seconds:12,.0f} lines/s   {cpu / PIPELINED * 1e6:6.2f} us of CPU a line"
          f"   ({seconds / cat_s:.0f} times as long as cat)")
    print(f"AT, one at a time       {alternating():12,.0f} lines/s")
    for name, line, final in (("settings", long_line(), OK), ("AT+CSCFOTA", string_line(), b"\r\nERROR\r\n")):
        cost = microseconds(line, LONG, final)
        verdict = "met" if cost < GOAL_US else "missed"
        print(f"300 characters, {name:12}{cost:8.2f} us of CPU a line   goal < {GOAL_US:g} us: {verdict}")


main()
