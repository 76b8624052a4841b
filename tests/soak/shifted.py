"""Starts the app with a clock that a file shifts by seconds: `python -m tests.soak.shifted FILE serve ...`."""

from __future__ import annotations

import runpy
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from app.kernel.clock import SystemClock


def main(arguments: list[str]) -> None:
    """Run the app with the rest of the arguments; each time it is asked for the time, the file is read."""
    file, real = Path(arguments[0]), time.time

    def seconds() -> float:
        return float(file.read_text(encoding="utf-8"))

    def now(_: SystemClock, community: int) -> datetime:  # noqa: ARG001  as the clock's own
        return datetime.now(UTC) + timedelta(seconds=seconds())

    sys.argv[1:] = arguments[1:]
    with patch("time.time", lambda: real() + seconds()), patch.object(SystemClock, "now", now):
        runpy.run_module("app", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
