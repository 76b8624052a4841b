"""How a problem code is explained, in each language."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """What a code stands for: its HTTP status, a title, what it means for the caller, and what to do about it."""

    status: int
    title: str
    meaning: str
    remedy: str

    @property
    def detail(self) -> str:
        """The sentences for an occurrence of which no more can be said than what its code means."""
        return f"{self.meaning} {self.remedy}"


class InChinese(NamedTuple):
    """The title, the meaning and the remedy of a problem."""

    title: str
    meaning: str
    remedy: str
