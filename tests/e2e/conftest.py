# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the whole-program tests.

ATFOTA_BUILD names the build directory with the programs (default: build/check-asan
or the first of the others that has them). SOAK=1 makes long tests longer.
"""

import os
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from lib.cloud import Cloud  # noqa: E402
from lib.product import Product  # noqa: E402
from lib.world import MODEL, OEM, World, finish  # noqa: E402

LIMIT_S = 60
BUILDS = ("build/check-asan", "build/e2e", "build/check-gcc", "build")


def build_dir():
    """The build directory under test."""
    named = os.environ.get("ATFOTA_BUILD")
    if named:
        return (ROOT / named).resolve()
    found = [ROOT / name for name in BUILDS if (ROOT / name / "module/atfotad").is_file()]
    return found[0] if found else ROOT / BUILDS[0]


@pytest.fixture(scope="session")
def build():
    return build_dir()


@pytest.fixture(scope="session")
def atfotad(build):
    return build / "module/atfotad"


@pytest.fixture(scope="session")
def is_soak():
    return os.environ.get("SOAK", "") not in ("", "0")


@pytest.fixture(scope="session")
def seen_codes():
    """Every result code that a test of this run saw on a line. With ATFOTA_SEEN_CODES
    runs that were split share them through files in that directory."""
    folder = os.environ.get("ATFOTA_SEEN_CODES")
    if not folder:
        yield set()
        return
    files = Path(folder).glob("*.txt")
    seen = {int(word) for path in files for word in path.read_text().split()}
    yield seen
    (Path(folder) / f"{os.getpid()}.txt").write_text(" ".join(map(str, sorted(seen))))


@pytest.fixture
def mini(tmp_path, atfotad, seen_codes, request):
    """A world around the mini platform."""
    world = World(tmp_path, atfotad, seen_codes)
    yield world
    finish(world, request)


@pytest.fixture(scope="session")
def cloud(build, tmp_path_factory):
    """One real platform for all tests; each makes a product of its own on it."""
    folder = tmp_path_factory.mktemp("cloud")
    with Cloud(build / "cloud/atfota-cloud", folder) as cloud:
        yield cloud


@pytest.fixture
def world(tmp_path, atfotad, seen_codes, cloud, request):
    """A world around the real platform."""
    world = World(tmp_path, atfotad, seen_codes, Product(cloud, OEM, MODEL))
    yield world
    finish(world, request)


@pytest.fixture(autouse=True)
def limit(request):
    """No test hangs: it fails after LIMIT_S, or after what its marker says."""
    marker = request.node.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT_S

    def ring(signum, frame):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.has_failed = outcome.get_result().failed


def pytest_collection_modifyitems(config, items):
    """What sums up the others runs last; ATFOTA_SHARD=0/2 leaves every second test."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    number, _, count = os.environ.get("ATFOTA_SHARD", "0/1").partition("/")
    mine = [item for at, item in enumerate(items) if at % int(count) == int(number)]
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = mine


def pytest_configure(config):
    # Some programs are where an ordinary user does not look: chat, mkfs.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    # A run in the background may have been told to ignore Ctrl-C; the programs under test
    # would inherit that.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What a sanitizer finds ends the program with a status that no test expects.
    os.environ["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1"
    os.environ["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1:exitcode=99"
    os.environ["LSAN_OPTIONS"] = f"suppressions='{HERE}/lsan.supp':print_suppressions=0"
    config.addinivalue_line("markers", "last: runs after all other tests")
    config.addinivalue_line("markers", "limit(seconds): may take so long")
    config.addinivalue_line("markers", "release: is played with the release build as well")
