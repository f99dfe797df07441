# SPDX-License-Identifier: Apache-2.0
"""The host's side of the multiplexer of 3GPP TS 27.010, basic option, written from the
standard: frames in Python, so that the module's are judged by somebody else."""

import re
import time

SABM, UA, DM, DISC, UIH = 0x2F, 0x63, 0x0F, 0x43, 0xEF
PF = 0x10
FLAG = 0xF9
MSC, CLD, TEST, PSC, FCON, FCOFF, NSC, PN = 0xE0, 0xC0, 0x20, 0x40, 0xA0, 0x60, 0x10, 0x80
FC, RTC, RTR = 0x02, 0x04, 0x08


def fcs(data):
    """Check sum of 27.010 annex B, bit by bit."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xE0 if crc & 1 else crc >> 1
    return 0xFF - crc


def frame(channel, control, info=b"", command=True):
    """A frame as the host, which began the multiplexer, sends it."""
    length = bytes([len(info) << 1 | 1]) if len(info) < 128 else bytes([len(info) << 1 & 0xFE, len(info) >> 7])
    head = bytes([channel << 2 | (2 if command else 0) | 1, control]) + length
    return bytes([FLAG]) + head + info + bytes([fcs(head), FLAG])


def message(kind, value=b"", command=True):
    """A message on the control channel."""
    return bytes([kind | (2 if command else 0) | 1, len(value) << 1 | 1]) + value


def parse(data):
    """Takes one frame: ((channel, control, command bit, info) or None, rest)."""
    while len(data) > 1 and data[0] == FLAG and data[1] == FLAG:
        data = data[1:]
    if len(data) < 5:
        return None, data
    assert data[0] == FLAG, f"no flag: {data!r}"
    size, head = data[3] >> 1, 4
    if not data[3] & 1:
        size, head = size | data[4] << 7, 5
    if len(data) < head + size + 2:
        return None, data
    assert data[head + size] == fcs(data[1:head]), f"wrong check sum: {data[:head + size + 2]!r}"
    assert data[head + size + 1] == FLAG, f"no closing flag: {data[:head + size + 2]!r}"
    return (data[1] >> 2, data[2], data[1] >> 1 & 1, data[head:head + size]), data[head + size + 2:]


class Channel:
    """An AT port of the module behind the multiplexer."""

    def __init__(self, mux, number):
        self.mux, self.number, self.data = mux, number, b""

    def write(self, data):
        self.mux.send(self.number, UIH, data)

    def until(self, pattern, limit_s=10.0):
        """The text up to and with what matches."""
        end = time.monotonic() + limit_s
        while True:
            match = re.search(pattern, self.data)
            if match:
                taken, self.data = self.data[:match.end()], self.data[match.end():]
                return taken
            assert time.monotonic() < end, f"no {pattern!r} on channel {self.number}: {self.data!r}"
            self.mux.read()

    def ask(self, line):
        """The answer without its final OK."""
        self.write(line.encode() + b"\r")
        return self.until(rb"\r\nOK\r\n")[:-6]

    def quiet(self, for_s=0.15):
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            self.mux.read()
        assert not self.data, f"unexpected on channel {self.number}: {self.data!r}"


class Mux:
    """Starts the multiplexer on an open port (serial or socket-like: read, write)."""

    def __init__(self, port, command="AT+CMUX=0"):
        self.port, self.rest, self.control, self.answers = port, b"", [], []
        self.channels = {number: Channel(self, number) for number in range(64)}
        self.info_max = 0
        port.write(command.encode() + b"\r")
        self._line(b"\r\nOK\r\n")
        self.open(0)

    def _line(self, ending, limit_s=10.0):
        end = time.monotonic() + limit_s
        while not self.rest.endswith(ending):
            assert time.monotonic() < end, f"no {ending!r}: {self.rest!r}"
            self.rest += self.port.read(1)
        self.rest = b""

    def send(self, channel, control, info=b"", command=True):
        self.port.write(frame(channel, control, info, command))

    def read(self):
        self.rest += self.port.read(512)
        while True:
            found, self.rest = parse(self.rest)
            if found is None:
                return
            self._take(*found)

    def _take(self, channel, control, cr, info):
        if control & ~PF != UIH:
            assert cr == 1, "an answer to the host's command has C/R 1"
            self.answers.append((channel, control & ~PF))
            return
        assert cr == 0, "data of the module has C/R 0"
        self.info_max = max(self.info_max, len(info))
        if channel == 0:
            self._take_message(info)
        else:
            self.channels[channel].data += info

    def _take_message(self, info):
        kind, value = info[0] & 0xFC, info[2:]
        assert info[1] == len(value) << 1 | 1, f"length of {info!r}"
        self.control.append((kind, bool(info[0] & 2), value))
        if kind == MSC and info[0] & 2:
            self.send(0, UIH, message(MSC, value, command=False))

    def answer(self, channel, limit_s=5.0):
        """The next UA or DM of the channel."""
        end = time.monotonic() + limit_s
        while True:
            for at, (number, kind) in enumerate(self.answers):
                if number == channel:
                    del self.answers[at]
                    return kind
            assert time.monotonic() < end, f"no answer on channel {channel}"
            self.read()

    def open(self, channel):
        self.send(channel, SABM | PF)
        assert self.answer(channel) == UA, f"channel {channel} is refused"
        return self.channels[channel]

    def close(self, channel):
        self.send(channel, DISC | PF)
        return self.answer(channel)

    def ask(self, kind, value=b"", limit_s=5.0):
        """Sends a message; gives the (kind, value) of its answer."""
        self.control.clear()
        self.send(0, UIH, message(kind, value))
        end = time.monotonic() + limit_s
        while True:
            found = [(k, v) for k, command, v in self.control if not command]
            if found:
                return found[0]
            assert time.monotonic() < end, f"no answer to message {kind:#x}"
            self.read()

    def signals(self, channel, signals):
        """Tells the module the host's V.24 signals."""
        return self.ask(MSC, bytes([channel << 2 | 3, signals | 1]))
