"""What every part of a soak is: a name, the engines it breaks, and a run that counts what it did until its time is up.

A part raises `ViolationError` when a promise was broken; all it does follows from its seed.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
BOTH = (SQLITE, POSTGRESQL)
BROKEN, FAILED, SLOW = 3, 1, 4
"""The exit codes of a soak that saw a promise broken, that failed itself, and in which something took too long: on a
busy machine that may have been the machine."""


SMOKE_SECONDS = 660.0
"""All parts of a smoke run together; a minute more is for what each has to end."""

NOT_TRIED = "not tried"
"""What a part counts that had to be tried and was not, for want of time."""


class ViolationError(AssertionError):
    """A promise was broken: what, and everything that helps to see why."""


def code_of(error: BaseException) -> int:
    """`BROKEN` when a promise was broken, by itself, among what failed together or before something else failed."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, ViolationError):
            return BROKEN
        seen.add(id(one))
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        others = (*inner, one.__cause__, one.__context__)
        waiting += [other for other in others if other is not None and id(other) not in seen]
    return FAILED


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201  a command talks to its user


@dataclass(frozen=True)
class Part:
    """One way to break the service.

    `targets` are what a full run is to reach, by the words of `Plan.count`, over all engines together. `core_seconds`
    is its time on one engine in the tests, where it is left out if that is 0; `smoke_seconds` is that in a smoke run,
    if so much is left of `SMOKE_SECONDS`; a full run shares its minutes out by `weight`. A run does its smallest round
    whatever its time. `absence` says what a machine lacks for it on an engine, if it does.
    """

    name: str
    engines: tuple[str, ...]
    run: Callable[[Plan], None]
    targets: Mapping[str, int] = field(default_factory=dict)
    core_seconds: float = 5.0
    smoke_seconds: float = 15.0
    weight: float = 1.0
    absence: Callable[[str], str | None] = lambda _: None


@dataclass
class Plan:
    """A part's run on one engine: its chance, its time and what it has done so far.

    `leniency` is how many times as long as promised things may take, where a machine does other work as well.
    """

    engine: str
    seed: str
    seconds: float
    goals: Mapping[str, float] = field(default_factory=dict)
    leniency: float = 1.0
    told: Callable[[Plan], None] = lambda _: None
    counts: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    too_slow: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin the run's time and its chance."""
        self.random = Random(self.seed)  # noqa: S311  the point is that it can be repeated
        self._has_begun = False
        self._until = time.monotonic() + self.seconds

    def begin(self) -> None:
        """Begin the run's time anew, when all is set up for the first time."""
        if not self._has_begun:
            self._has_begun = True
            self._until = time.monotonic() + self.seconds

    def count(self, what: str, number: int = 1) -> None:
        """Count something done, for the table."""
        self.counts[what] += number
        self.told(self)

    def took(self, what: str, seconds: float, *, most: float) -> None:
        """Keep the longest time that something took, and note when it took longer than it may."""
        self.slowest[what] = max(self.slowest.get(what, 0.0), seconds)
        if seconds > most * self.leniency:
            self.too_slow.append(f"{what} took {seconds:.2f} s, and may take {most * self.leniency:g}")

    def over(self) -> bool:
        """Whether the time is up, or all that was to be done is done."""
        reached = bool(self.goals) and all(self.counts[what] >= goal for what, goal in self.goals.items())
        return reached or time.monotonic() >= self._until
