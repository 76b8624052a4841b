"""Editing what others may be editing too: a change names the revision it was made on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Revised(Protocol):
    """A frozen dataclass whose revision counts its changes."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def revision(self) -> int:
        """1 as it was created."""


RevisedT = TypeVar("RevisedT", bound=Revised)


def edited(resource: RevisedT, values: Mapping[str, Any]) -> RevisedT:
    """The resource with these values and the next revision; itself when none of them differs."""
    if all(getattr(resource, name) == value for name, value in values.items()):
        return resource
    return replace(resource, **values, revision=resource.revision + 1)


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


WHICHEVER = Expected(None)
