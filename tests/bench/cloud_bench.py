# SPDX-License-Identifier: Apache-2.0
"""What the platform's benchmarks share: the program, nginx beside it, wrk, a table."""

import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.dont_write_bytecode = True

from lib import wire  # noqa: E402
from lib.cloud import Cloud, default_program  # noqa: E402

WRK_THREADS = 2


def program():
    """The program to measure: the first argument, or the newest build's."""
    found = Path(sys.argv[1]) if len(sys.argv) > 1 else default_program()
    if not found or not found.is_file():
        sys.exit("no atfota-cloud is built; build it, or name it as the first argument")
    return found


def folder():
    """A folder for one run, removed at its end; ATFOTA_BENCH_DIR names the place."""
    return tempfile.TemporaryDirectory(prefix="atfota-bench-", dir=os.environ.get("ATFOTA_BENCH_DIR"))


def fill_devices(cloud, seq, count, first=0, target="V1.00"):
    """Puts devices into the database of a stopped platform; they were seen just now."""
    now = int(time.time())
    with sqlite3.connect(cloud.data / "atfota.db") as db:
        db.executemany(
            "INSERT INTO device (product, name, version, target, attributes, first_seen, last_seen)"
            " VALUES (?, ?, 'V1.00', ?, '{}', ?, ?)",
            ((seq, device_name(i), target, now, now) for i in range(first, first + count)))
    db.close()


def device_name(number):
    return f"86{number:013d}"


def check_messages(product, numbers, target="V1.00"):
    """Authentic checks of devices that run V1.00: idle ones, or such that get an offer."""
    kid, secret, now = product.product.encode(), product.secret.encode(), int(time.time())
    for number in numbers:
        yield wire.seal(secret, kid, wire.keyed({
            "nonce": os.urandom(16), "time": now, "oem": product.oem, "model": product.model,
            "device": device_name(number), "version": "V1.00", "target": target, "slot": 1 << 26, "accept": [0]}))


class Nginx:
    """nginx with a server block of the caller, as many workers as the platform has threads."""

    CONF = """
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
daemon off;
events {{ worker_connections 9000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""

    def __init__(self, place, server):
        self.folder = Path(place) / "nginx"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        port = free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text(self.CONF.format(folder=self.folder, port=port, server=server, workers=os.cpu_count()))
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", conf, "-p", self.folder],
                                        stderr=subprocess.DEVNULL)
        wait_port(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def free_port():
    import socket
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_port(port, limit_s=10):
    import socket
    end = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def wrk(url, script, seconds, connections, *arguments):
    """Runs wrk; gives requests a second and the 99th percentile in milliseconds. Any answer that is not
    200 ends the benchmark: its numbers would be worth nothing."""
    words = ["wrk", f"-t{WRK_THREADS}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url, "--",
             *map(str, arguments)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"wrk met errors:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def paired_ratio(ours, theirs):
    """The median of the ratios round by round: what else the machine does comes and goes, and
    two measurements that follow each other meet about the same of it."""
    return statistics.median(one / other for one, other in zip(ours, theirs))


def table(title, rows):
    """Prints rows of texts; the first is the head."""
    print(f"\n{title}")
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    sys.stdout.flush()


def verdict(is_reached):
    return "reached" if is_reached else "MISSED"


__all__ = ["Cloud", "Nginx", "check_messages", "device_name", "fill_devices", "folder", "free_port", "paired_ratio",
           "program", "table", "verdict", "wait_port", "wire", "wrk"]
