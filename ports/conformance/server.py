#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server that conf_http talks to; conf_http.c says what it expects at each path.
usage: server.py [ADDRESS:PORT]   (default 127.0.0.1:0; the URL is printed)

Ends when its standard input does."""

import contextlib
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = bytes((i * 7 + (i >> 8)) & 255 for i in range(100_000))
MESSAGE_TYPE = 'application/cose; cose-type="cose-mac0"'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self):
        self.close_connection = True
        self.connection.close()

    def do_GET(self):
        name = self.path.strip("/").split("/")[0]
        getattr(self, "get_" + name, lambda: self.answer(404, b"none"))()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/redirect_post":
            self.answer(307, Location="/echo")
        elif self.path == "/echo" and self.headers.get("Content-Type") == MESSAGE_TYPE:
            self.answer(200, body, Content_Type=MESSAGE_TYPE)
        else:
            self.answer(415)

    def get_bytes(self):
        """BODY; from a byte on if it is asked for and If-Range, if any, is our tag."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not wanted or self.headers.get("If-Range", '"tag"') != '"tag"':
            self.answer(200, BODY, ETag='"tag"')
            return
        start = int(wanted[1])
        if start >= len(BODY):
            self.answer(416, Content_Range=f"bytes */{len(BODY)}")
            return
        self.answer(206, BODY[start:], ETag='"tag"', Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")

    def get_empty(self):
        self.answer(200)

    def get_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(BODY), 9999):
            piece = BODY[at:at + 9999]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def get_redirect(self):
        """/redirect/N: N redirects, then the bytes."""
        left = int(self.path.rsplit("/", 1)[1])
        self.answer(302, b"elsewhere", Location=f"/redirect/{left - 1}" if left > 1 else "/bytes")

    def get_talkative(self):
        """A redirect whose body never ends."""
        self.send_response(302)
        self.send_header("Location", "/bytes")
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has gone on
            while True:
                self.wfile.write(BODY)

    def get_closed(self):
        self.cut()

    def get_short(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:50_000])
        self.wfile.flush()
        self.cut()

    def get_silent(self):
        """The head, some bytes, then nothing."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:1000])
        self.wfile.flush()
        threading.Event().wait(30)

    def get_garbage(self):
        self.connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.cut()


def main():
    address, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:0").rsplit(":", 1)
    server = ThreadingHTTPServer((address, int(port)), Handler)
    server.daemon_threads = True
    print(f"http://{address}:{server.server_address[1]}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.read(sys.stdin.fileno(), 4096):
        pass


if __name__ == "__main__":
    main()
