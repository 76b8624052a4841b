"""A disk that forgets: SQLite's files through a VFS that records each write and sync, and what a loss of power leaves.

Only what was synced is sure to be there. Of what came after, any part may be: none, the first of it, or some in another
order; a write may be torn at the sectors' borders, and a sector that was under way may hold anything. What no write
touched stays, as SQLite expects of disks ("powersafe overwrite").
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

SECTOR_BYTES = 512
LOG = "-wal"
SUFFIXES = ("", LOG)
"""Of the files that outlive a loss: the database and its log. The index beside it is built anew."""

_lost_at_all, _torn, _garbled = 0.5, 0.3, 0.15


class Write(NamedTuple):
    """Bytes written to a file."""

    suffix: str
    offset: int
    content: bytes


class Cut(NamedTuple):
    """A file cut to a length, as one that is deleted is to none."""

    suffix: str
    length: int


class Sync(NamedTuple):
    """The moment from which all that was written to a file is sure to stay."""

    suffix: str


class Disk(apsw.VFS):
    """SQLite's way to files, which keeps `log`: all that was done to them, in order."""

    def __init__(self) -> None:
        self.name = f"disk-{id(self)}"
        self.log: list[Write | Cut | Sync] = []
        super().__init__(self.name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802  SQLite's name
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001  SQLite's name and shape
        self.log.append(Cut(_suffix_of(filename), 0))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    """A file on the disk; what is read of it is what was written."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._log, self._suffix = disk.log, _suffix_of(name)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  SQLite's name
        self._log.append(Write(self._suffix, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802  SQLite's name
        self._log.append(Cut(self._suffix, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802  SQLite's name and shape
        self._log.append(Sync(self._suffix))


def _suffix_of(name: str | apsw.URIFilename | None) -> str:
    """Whether it is the database or its log; SQLite with the app's settings makes no other file."""
    path = name.filename() if isinstance(name, apsw.URIFilename) else name
    assert path is not None, "a file without a name would be one for sorting, which is kept in memory"
    return LOG if path.endswith(LOG) else ""


@dataclass
class Image:
    """What is on the disk for sure, and what may be."""

    sure: dict[str, bytearray]
    unsure: dict[str, list[Write | Cut]] = field(default_factory=lambda: {suffix: [] for suffix in SUFFIXES})

    @classmethod
    def read(cls, file: Path) -> Image:
        """The files as they lie there, all of it sure."""
        paths = {suffix: Path(f"{file}{suffix}") for suffix in SUFFIXES}
        return cls({suffix: bytearray(path.read_bytes() if path.exists() else b"") for suffix, path in paths.items()})

    def write(self, file: Path) -> None:
        """Lay the files down, with no index beside them."""
        for suffix, content in self.sure.items():
            Path(f"{file}{suffix}").write_bytes(content)
        Path(f"{file}-shm").unlink(missing_ok=True)

    def take(self, step: Write | Cut | Sync) -> None:
        """Go on by a step of the disk's log."""
        if not isinstance(step, Sync):
            self.unsure[step.suffix].append(step)
            return
        for done in self.unsure[step.suffix]:
            _do(self.sure[step.suffix], done)
        self.unsure[step.suffix].clear()

    def lose(self, chance: Random) -> Image:
        """What a loss of power leaves at this moment."""
        left = {suffix: bytearray(content) for suffix, content in self.sure.items()}
        for suffix, content in left.items():
            for step in _kept(self.unsure[suffix], chance):
                _do(content, step)
        return Image(left)


def images(start: Image, log: Sequence[Write | Cut | Sync], places: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """The disk after so many steps of its log, for each of these places in order."""
    done = 0
    for place in places:
        for step in log[done:place]:
            start.take(step)
        done = place
        yield place, start


def _do(content: bytearray, step: Write | Cut) -> None:
    if isinstance(step, Cut):
        del content[step.length :]
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.content)] = step.content


def _kept(steps: Sequence[Write | Cut], chance: Random) -> Iterator[Write | Cut]:
    """What a disk may have done of steps that it was not told to finish."""
    order = [*steps]
    if chance.random() < _lost_at_all:
        # In order, up to some step.
        order = order[: chance.randrange(len(order) + 1)]
    else:
        kept = chance.random()
        order = [step for step in order if chance.random() < kept]
        chance.shuffle(order)
    for step in order:
        if isinstance(step, Write) and chance.random() < _torn:
            yield from _sectors(step, chance)
        else:
            yield step


def _sectors(write: Write, chance: Random) -> Iterator[Write]:
    """Some of the sectors of a write, in any order, a few of them with whatever."""
    begin, end = write.offset, write.offset + len(write.content)
    borders = [begin, *range(begin - begin % SECTOR_BYTES + SECTOR_BYTES, end, SECTOR_BYTES), end]
    spans = [span for span in itertools.pairwise(borders) if chance.random() < 0.5]
    chance.shuffle(spans)
    for first, last in spans:
        content = write.content[first - begin : last - begin]
        yield Write(write.suffix, first, chance.randbytes(last - first) if chance.random() < _garbled else content)
