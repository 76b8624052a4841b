"""The lines of the log: in their order, none lost, and a request's the same as if it had gone the loggers' way."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.kernel.log import Lines

ROOT = Path(__file__).parents[2]
FACTS = (
    '{"request_id": "r-1", "method": "GET", "route": "/x/{id}", "path": "/x/张", "status": 200, "milliseconds": 1.5,'
    ' "caller": None}'
)


async def test_lines_that_can_wait_go_together_at_the_next_turn() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.write_soon("a\n")
    lines.write_soon("b\n")
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    assert stream.getvalue() == "a\nb\n"
    lines.write_soon("c\n")
    await asyncio.sleep(0)
    assert stream.getvalue() == "a\nb\nc\n"


async def test_line_that_is_written_at_once_comes_after_those_that_wait() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.write_soon("a\n")
    lines.write("b\n")
    lines.flush()
    assert stream.getvalue() == "a\nb\n"


def test_where_no_loop_runs_nothing_waits() -> None:
    stream = io.StringIO()
    Lines(stream).write_soon("a\n")
    assert stream.getvalue() == "a\n"


def logged(log_format: str, *acts: str) -> list[str]:
    """Carry acts out within an event loop that ends before its next turn, and give what the log has at the end."""
    script = [
        "import asyncio, logging, sys",
        "from app.kernel.log import log_request, logger, set_up_logs",
        "from app.settings import Settings",
        f"set_up_logs(Settings(log_format={log_format!r}))",
        "async def act():",
        *(f"    {act}" for act in acts),
        "asyncio.new_event_loop().run_until_complete(act())",
    ]
    answer = subprocess.run(
        [sys.executable, "-c", "\n".join(script)], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )
    return answer.stdout.splitlines()


def test_lines_keep_their_order_and_the_last_is_written_at_the_end() -> None:
    lines = logged(
        "json",
        f"log_request({FACTS})",
        "logger.error('request failed')",
        f"log_request({FACTS})",
        "logging.getLogger('uvicorn.error').error('a line of a library')",
        f"log_request({FACTS})",
        "sys.exit(1)",
    )
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["request", "request failed", "request", "a line of a library", "request"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_line_of_a_request_is_the_one_that_a_logger_writes(log_format: str) -> None:
    mine, theirs = logged(log_format, f"log_request({FACTS})", f"logger.info('request', **{FACTS})")
    if log_format == "json":
        facts: tuple[dict[str, Any], ...] = json.loads(mine), json.loads(theirs)
        assert [list(one) for one in facts] == [list(facts[1])] * 2
        mine, theirs = (line.replace(one["timestamp"], "") for line, one in zip((mine, theirs), facts, strict=True))
        assert all(one["timestamp"].endswith("Z") and len(one["timestamp"]) in {20, 27} for one in facts)
    else:
        mine, theirs = (line.partition(" ")[2] for line in (mine, theirs))
    assert mine == theirs
