#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A host that upgrades its module and does with each result code what it asks for:

R  tries again after a pause that doubles; a part that the module kept (4) is used
E  is content: up to date, or cancelled
X  stops, and tells the person what to change

Needs pyserial. The secret comes from the environment: PRODUCT_SECRET.
Status: 0 done or nothing to do, 1 a person has to change something, 2 tries used up.
"""

import argparse
import os
import re
import sys
import time

import serial

from fota_codes import CODES

ANSWER_S = 9      # SIMCom's limit for the answer to a command
SILENCE_S = 60    # then the module is asked for a sign of life
PARTIAL_S = 15    # from code 4 to the final code
SESSION_S = 3900  # the module's own limit is an hour
FINAL = re.compile(r"(OK|ERROR|\+CM[ES] ERROR: ?(.*))$")


class Silent(Exception):
    """The module does not answer."""


class Restarted(Exception):
    """The module restarted and lost the session."""


class Refused(Exception):
    """A command was refused; args[0] is the code or None."""


class Module:
    def __init__(self, port):
        self.port = serial.Serial(port, 115200, timeout=0.02)
        self.rest = b""

    def line(self, limit_s):
        """The next line that is not empty; Silent after limit_s."""
        end = time.monotonic() + limit_s
        while True:
            line, mark, rest = self.rest.replace(b"\r", b"\n").partition(b"\n")
            if mark:
                self.rest = rest
                text = line.decode("ascii", "replace").strip("\x00 \ufffd")
                if text:
                    return text
                continue
            if time.monotonic() > end:
                raise Silent
            self.rest += self.port.read(self.port.in_waiting or 1)

    def ask(self, command, limit_s=ANSWER_S):
        """Sends a command; gives its information lines. Results of a session that come
        meanwhile are among them."""
        self.port.write(command.encode() + b"\r")
        lines = []
        while True:
            text = self.line(limit_s)
            final = FINAL.match(text)
            if final and final[1] == "OK":
                return lines
            if final:
                number = (final[2] or "").strip()
                raise Refused(int(number) if number.isdigit() else None)
            if not text.endswith(command):  # an echo, perhaps behind noise
                lines.append(text)

    def synchronise(self):
        """Until AT is answered; late answers to earlier ones are waited for."""
        for _ in range(20):
            try:
                self.ask("AT", 0.3)
                break
            except (Silent, Refused):
                continue
        else:
            raise Silent
        try:
            while True:
                self.line(0.1)
        except Silent:
            pass


def results(module):
    """The codes of a session, as they come."""
    end = time.monotonic() + SESSION_S
    limit_s = SILENCE_S
    while time.monotonic() < end:
        try:
            texts = [module.line(limit_s)]
        except Silent:
            if limit_s == PARTIAL_S:
                return
            texts = module.ask("AT+CAPFOTA?")
        for text in texts:
            if text == "RDY" or text.startswith("*ATREADY") or text == "+CAPFOTA: 0":
                raise Restarted
            if text.startswith("+FOTAPROG:"):
                print("received", text.partition(":")[2].strip().replace(",", " of "))
            match = re.fullmatch(r"\+CSCFOTA: (\d+)", text)
            if match:
                limit_s = PARTIAL_S if match[1] == "4" else SILENCE_S
                yield int(match[1])
    raise Silent


def session(module, parameters):
    """One session; gives (final code, whether a part is kept)."""
    module.synchronise()
    module.ask("AT+CMEE=1")
    try:
        module.ask("AT+FOTAPROG=1")
    except Refused:
        pass  # a module without it
    module.ask("AT+CAPFOTA=1")
    module.ask("AT+CSCFOTA=" + ",".join(f'"{value}"' for value in parameters))
    print("accepted")
    has_part = False
    code = None
    for code in results(module):
        print(f"code {code}: {CODES.get(code, ('', 'unknown'))[1]}", flush=True)
        has_part = has_part or code == 4
        if code == 3 or code not in CODES or CODES[code][0] != "P":
            break
    return code, has_part


def attempt(module, parameters):
    """(class, code, text, has_part) of one try, whatever happens."""
    try:
        code, has_part = session(module, parameters)
    except Refused as refusal:
        code, has_part = refusal.args[0], False
        if code not in CODES or code < 300:  # a plain ERROR, or a number of TS 27.007
            return "X", code, "the command was refused", has_part
    except Silent:
        return "R", None, "the module is silent", False
    except Restarted:
        return "R", None, "the module restarted", False
    kind = CODES[code][0] if code in CODES else "X"
    if kind == "P" and code != 3:
        kind = "R"  # a part, and no end
    return kind, code, CODES.get(code, ("", "unknown"))[1], has_part


def upgrade(module, parameters, tries, pause_s):
    for number in range(1, tries + 1):
        kind, code, text, has_part = attempt(module, parameters)
        if kind == "X":
            advice = CODES.get(code, ("", "", "check the command and the module"))[2]
            print(f"stop: {code} {text}: {advice}")
            return 1
        if kind in "PE":
            print(f"{'done' if kind == 'P' else 'fine'}: {code} {text}")
            return 0
        if number < tries:
            kept = ", from the part that is stored" if has_part else ""
            print(f"again in {pause_s * 1000:.0f} ms: {code} {text}{kept}", flush=True)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 60)
    print(f"given up after {tries} tries: {code} {text}")
    return 2


def main():
    parser = argparse.ArgumentParser(description="Upgrades a module by AT+CSCFOTA.")
    for name in ("port", "oem", "model", "product", "target"):
        parser.add_argument(name)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds before the second try; doubles")
    args = parser.parse_args()
    secret = os.environ.get("PRODUCT_SECRET")
    if not secret:
        parser.error("PRODUCT_SECRET is not set")
    parameters = (args.oem, args.model, args.product, secret, args.target)
    return upgrade(Module(args.port), parameters, args.tries, args.pause)


if __name__ == "__main__":
    sys.exit(main())
