"""What a command shows while it works."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, TaskID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.imports.service import Step


@contextmanager
def progress() -> Iterator[Callable[[Step], None]]:
    """Show a bar for each file on a terminal; elsewhere be quiet."""
    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:

        def show(step: Step) -> None:
            file, done, total = step
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total)
            bars.advance(tasks[file], done)

        yield show
