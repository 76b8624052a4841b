"""Plants one bug after the other in a copy of the project, and sees that the soak notices each of them.

A bug is caught when the part that is to catch it says that a promise was broken. A copy in which the harness or the
service does not even run is a bad mutant, which proves nothing; a bug that nobody notices is a hole in the harness.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.soak import nursery
from tests.soak.mutants import OF_THE_CORE
from tests.soak.mutants_of_features import OF_FEATURES
from tests.soak.nursery import Order
from tests.soak.parts import BROKEN, NOT_TRIED, POSTGRESQL, SLOW, SQLITE, Part, Plan, ViolationError, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.soak.mutants import Mutant

MUTANTS: tuple[Mutant, ...] = (*OF_THE_CORE, *OF_FEATURES)
PROJECT = Path(__file__).parents[2]

_copied = ("app", "migrations", "openapi", "tests")
_at_once = 2
_run_seconds_max = 120.0
_baseline_minutes = "0.01"
_words_shown = 160


class Verdict(NamedTuple):
    """What became of a run in a copy: its exit code (below 0 when it had to be ended), its last words and its time."""

    code: int
    words: str
    seconds: float


class Copy:
    """A copy of the project, in which one bug at a time is planted."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        """Copy what a soak needs."""
        self.folder = folder
        self._nursery = nursery
        for name in _copied:
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """Plant a bug, and take it out again."""
        path = self.folder / mutant.file
        sound = path.read_text(encoding="utf-8")
        try:
            self._write(path, with_bug(sound, mutant))
            yield
        finally:
            self._write(path, sound)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Python takes a compiled file for the text's own as long as size and second are the same.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def run(self, part: str, engine: str, seed: int, *length: str) -> Verdict:
        """Run a part in a process of its own, which sees this copy alone."""
        log = self.folder / "soak.log"
        arguments = ["--part", part, "--engine", engine, "--seed", str(seed), *length]
        began = time.monotonic()
        code = self._nursery.run(Order(str(self.folder), arguments, str(log)))
        return Verdict(code, _last_words(log.read_text(encoding="utf-8")), time.monotonic() - began)


class Nursery:
    """The program that starts soaks quickly (see `tests.soak.nursery`), until the block ends."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", nursery.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Tell it that nothing more comes, and wait for its end."""
        self._process.communicate()

    def _hear(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def run(self, order: Order) -> int:
        """Run a soak to its end and give its exit code; it is killed, with all that it started, when it has no end."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        child = self._hear()
        killing = threading.Timer(_run_seconds_max, os.killpg, (child, signal.SIGKILL))
        killing.start()
        try:
            return self._hear()
        finally:
            killing.cancel()


def with_bug(text: str, mutant: Mutant) -> str:
    """The text of a file with a bug in it. Raises `ValueError` unless its place is found exactly once."""
    if text.count(mutant.text) != 1:
        message = f"{mutant.name}: its text stands {text.count(mutant.text)} times in {mutant.file}"
        raise ValueError(message)
    return text.replace(mutant.text, mutant.bug)


def _last_words(said: str) -> str:
    """The line that says what was broken, or failed."""
    # Of failures that come together each line begins with bars.
    plain = [line.lstrip(" |") if line.lstrip().startswith("|") else line for line in said.splitlines()]
    lines = [line for line in plain if line and not line.startswith((" ", "┃", "│", "┏", "└", "┡"))]
    told = [line for line in lines if "Error" in line.partition(":")[0]]
    return (told or lines or [""])[-1].removeprefix("tests.soak.parts.")


class _Field:
    """A few copies, of which one is lent at a time."""

    def __init__(self, stack: ExitStack, folder: Path, seed: int) -> None:
        self._seed = seed
        self._free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(_at_once):
            self._free.put(Copy(folder / str(number), stack.enter_context(Nursery())))

    def sound(self, part: str, engine: str) -> Verdict:
        """Run a part for a moment where no bug is planted."""
        copy = self._free.get()
        try:
            return copy.run(part, engine, self._seed, "--minutes", _baseline_minutes)
        finally:
            self._free.put(copy)

    def attempt(self, mutant: Mutant) -> Verdict:
        """Plant a bug and run the part that has to catch it."""
        copy = self._free.get()
        try:
            with copy.planted(mutant):
                return copy.run(mutant.part, mutant.engine, self._seed, "--smoke")
        finally:
            self._free.put(copy)


def run(plan: Plan) -> None:
    """Plant the bugs of an engine in any order, a few at a time, until the time is up or all were tried."""
    waiting = [mutant for mutant in MUTANTS if mutant.engine == plan.engine]
    plan.random.shuffle(waiting)
    known: set[str] = set()
    escaped: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="lovebank-mutants-", ignore_cleanup_errors=True) as name,
        ExitStack() as stack,
        ThreadPoolExecutor(_at_once) as threads,
    ):
        field = _Field(stack, Path(name), plan.random.randrange(2**31))
        while waiting:
            chosen, waiting = waiting[:_at_once], waiting[_at_once:]
            _see_that_all_is_sound(plan, field, threads, {mutant.part for mutant in chosen} - known)
            known |= {mutant.part for mutant in chosen}
            escaped += _plant(plan, field, threads, chosen)
            if plan.over():
                break
    plan.count(NOT_TRIED, len(waiting))
    if escaped:
        message = f"{len(escaped)} planted bugs were not caught: {'; '.join(escaped)}"
        raise ViolationError(message)


def _see_that_all_is_sound(plan: Plan, field: _Field, threads: ThreadPoolExecutor, parts: set[str]) -> None:
    """Raise `ViolationError` when a part finds something where no bug was planted, `RuntimeError` when it fails."""
    names = sorted(parts)
    for part, verdict in zip(names, threads.map(lambda part: field.sound(part, plan.engine), names), strict=True):
        if verdict.code not in {0, SLOW}:
            message = f"{part} on {plan.engine} without a planted bug ends with {verdict.code}: {verdict.words}"
            raise (ViolationError if verdict.code == BROKEN else RuntimeError)(message)
        say(f"  sound    {part} on {plan.engine} without a bug, {verdict.seconds:.1f} s")


def _plant(plan: Plan, field: _Field, threads: ThreadPoolExecutor, chosen: Sequence[Mutant]) -> list[str]:
    """Try bugs together, tell what became of them, and give those that were not caught."""
    escaped = []
    for mutant, verdict in zip(chosen, threads.map(field.attempt, chosen), strict=True):
        plan.count("planted")
        # That something took long, beside others in a copy, is no sign of a bug.
        what = {BROKEN: "caught", 0: "SURVIVED", SLOW: "SURVIVED"}.get(verdict.code, "BAD")
        place = f"{mutant.part} on {mutant.engine}, {verdict.seconds:.1f} s"
        say(f"  {what:8} {mutant.name} ({place}): {verdict.words[:_words_shown]}")
        if what == "caught":
            plan.count("caught")
        else:
            escaped.append(f"{mutant.name} ({what}, {mutant.part} on {mutant.engine}: {verdict.words})")
    return escaped


# Its time is a bound, in a smoke run what the others have left; it ends when all were tried. Most bugs are on SQLite.
PART = Part("mutants", (POSTGRESQL, SQLITE), run, core_seconds=1, smoke_seconds=math.inf, weight=5)
