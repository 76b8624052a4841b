"""Load on a server, by wrk: a compiled generator, so that what is measured is the service."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.running.test_serve import free_port, wait_until_it_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.world import Target, World

CONNECTIONS = 32
BATCH_ROWS = 500

_script = Path(__file__).with_name("load.lua")


class BenchError(Exception):
    """What keeps a benchmark from telling anything."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers and seconds, and the time of an answer in milliseconds."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def find_wrk() -> str:
    """The program. Raises `BenchError` with how to install it."""
    program = shutil.which("wrk")
    if program is None:
        message = "wrk is missing: `apt install wrk` on Debian, `brew install wrk` on macOS"
        raise BenchError(message)
    return program


def loaded(
    world: World, url: str, what: str, *, seconds: float, targets: Sequence[Target] = (), connections: int = CONNECTIONS
) -> Load:
    """Send one kind of request for some seconds. Raises `BenchError` when one of them failed."""
    listed = world.folder / "targets"
    listed.write_text("".join(target.line() for target in targets or world.targets), encoding="utf-8")
    options = ["-t", "1", "-c", str(connections), "-d", f"{seconds:g}s", "--timeout", "30s", "-s", str(_script)]
    command = [find_wrk(), *options, url, "--", str(listed), what, str(BATCH_ROWS), str(world.requests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _, found, result = done.stdout.partition("RESULT ")
    if not found:
        message = f"wrk failed: {done.stdout}{done.stderr}"
        raise BenchError(message)
    load = Load(**json.loads(result))
    # Those under way at the end were never counted, and may have been carried out.
    world.requests += load.requests + connections
    if load.failed:
        message = f"{load.failed} of {load.requests} requests ({what}) failed; the log: {world.folder / 'service.log'}"
        raise BenchError(message)
    return load


@contextmanager
def empty_route() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve a FastAPI app with one empty route, and give its address and process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.empty", str(port)])
    try:
        wait_until_it_answers(process, f"{url}/")
        yield url, process
    finally:
        process.kill()
        process.wait()
