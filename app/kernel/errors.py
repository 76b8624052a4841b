"""Refusals and outages: the two ways in which something asked for does not happen."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision of the domain against a request: a value, so that a batch goes on and a key can keep it.

    `code` names the problem (`/problems/{code}`); the fields of a subclass are its facts and become
    members of the problem document, so none may hold personal data.
    """

    code: ClassVar[str]
    #: Whether the refusal is the key's final answer. What a corrected request would cure is not kept.
    kept: ClassVar[bool] = True

    @property
    def detail(self) -> str:
        """One sentence for a person: what was wrong and what to do next."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """The facts of the refusal by name, as the problem document shows them; unknown ones are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a request: a JSON pointer into it and a sentence."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class InvalidRequest(Refusal):
    """The request contradicts itself or what is known; corrected, it may be sent again."""

    code: ClassVar[str] = "invalid-request"
    kept: ClassVar[bool] = False
    errors: tuple[Fault, ...]

    @property
    def detail(self) -> str:
        """Say what is wrong, each fault with its place."""
        return "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in self.errors)


@dataclass(frozen=True, slots=True)
class NotFound(Refusal):
    """Nothing with this id is in the community (or the community is not the caller's)."""

    code: ClassVar[str] = "not-found"
    kept: ClassVar[bool] = False
    resource: str

    @property
    def detail(self) -> str:
        """Name the kind of thing that was looked for."""
        return f"There is no such {self.resource} here. Check the id and the community."


class Refused(Exception):
    """Carries a refusal out of a single-purpose path (a read, a dependency) to the entry point."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the refusal; the text of the exception is its sentence."""
        super().__init__(refusal.detail)
        self.refusal = refusal


class Unavailable(Exception):
    """The database is slow, away or too busy; the same request may be sent again after `retry_after_s`."""

    retry_after_s = 1
