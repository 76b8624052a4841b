"""Starts the app as a process that does not outlive its starter: `python -m tests.soak.guarded FILE MODULE ...`.

Once all is loaded that the service is made of, the time of that is in the file. The process ends when its standard
input does, as it does at any end of who holds the other one.
"""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Load the service, and then run a module with the rest of the arguments."""
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    importlib.import_module("app.serving")
    Path(arguments[0]).write_text(str(time.monotonic()), encoding="utf-8")
    sys.argv[:] = arguments[1:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)


def _end_with_the_starter() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
