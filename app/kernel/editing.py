"""Editing what others may be editing too: a change names the revision it was made on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class PreconditionFailed(Refusal):
    """The resource was changed since it was read."""

    code: ClassVar[str] = "precondition-failed"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        """Say what to do."""
        return "The resource has changed since it was read. Read it again, and send the change with the new ETag."


@dataclass(frozen=True, slots=True)
class Expected:
    """The revisions that a change may be made on; None: whichever there is."""

    revisions: frozenset[int] | None

    def refusal(self, revision: int) -> PreconditionFailed | None:
        """Why a change does not go on this revision."""
        return None if self.revisions is None or revision in self.revisions else PreconditionFailed()
