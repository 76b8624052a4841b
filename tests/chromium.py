"""Chromium without a window, driven through the pipe of its DevTools protocol: it says when a page is done."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_names = ("chromium", "chromium-browser", "google-chrome")
_flags = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_seconds_max = 120
_chunk_bytes = 1 << 16
# The browser listens at its third descriptor and answers at its fourth, wherever the pipes are here.
_on_its_descriptors = """
import fcntl, os, sys
listening, answering = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(listening, 3), os.dup2(answering, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def absence() -> str | None:
    """What of Chromium is missing here, in a few words."""
    return None if _found() else "Chromium is absent"


def _found() -> str | None:
    return next((path for path in map(shutil.which, _names) if path), None)


class Browser:
    """A running browser; what it is told and what it answers are JSON, each ended by a zero byte."""

    def __init__(self, telling: int, hearing: int) -> None:
        self._telling, self._hearing = telling, hearing
        self._heard = b""
        self._told = 0

    def tell(self, method: str, *, page: str | None = None, **parameters: Any) -> Any:
        """Give a command, to a page if one is named, and return its result. An error is one of the test."""
        self._told += 1
        command = {"id": self._told, "method": method, "params": parameters}
        self._send(json.dumps(command if page is None else {**command, "sessionId": page}).encode() + b"\0")
        deadline = time.monotonic() + _seconds_max
        while (answer := self._next(deadline)).get("id") != self._told:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _send(self, message: bytes) -> None:
        while message:
            message = message[os.write(self._telling, message[:_chunk_bytes]) :]

    def _next(self, deadline: float) -> Any:
        while b"\0" not in self._heard:
            left = deadline - time.monotonic()
            assert left > 0, "Chromium does not answer"
            if select.select([self._hearing], [], [], left)[0]:
                chunk = os.read(self._hearing, _chunk_bytes)
                assert chunk, "Chromium has ended"
                self._heard += chunk
        message, _, self._heard = self._heard.partition(b"\0")
        return json.loads(message)

    def open(self, address: str, *, before: str = "") -> Page:
        """Open a page, and wait until all that belongs to it was loaded; `before` is JavaScript that runs first."""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        if before:
            page.tell("Page.enable")
            page.tell("Page.addScriptToEvaluateOnNewDocument", source=before)
        page.tell("Page.navigate", url=address)
        page.ask("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")
        return page


class Page:
    """A page that a browser has open."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def tell(self, method: str, **parameters: Any) -> Any:
        """Give a command of the protocol."""
        return self._browser.tell(method, page=self._session, **parameters)

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript in the page, wait for it if it is a promise, and return the value."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.tell("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start a browser with a folder for what it keeps, and stop it."""
    program = _found()
    assert program is not None, absence()
    listening, telling = os.pipe()
    hearing, answering = os.pipe()
    command = (program, *_flags, f"--user-data-dir={profile}")
    process = subprocess.Popen(
        [sys.executable, "-c", _on_its_descriptors, str(listening), str(answering), *command],
        pass_fds=(listening, answering),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(listening)
    os.close(answering)
    try:
        started = Browser(telling, hearing)
        yield started
        started.tell("Browser.close")
    finally:
        # Without its pipe the browser ends by itself.
        os.close(telling)
        os.close(hearing)
        process.wait(_seconds_max)
