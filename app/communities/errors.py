"""Why a community is not created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class CommunityExists(Refusal):
    """Another community has this code."""

    code: ClassVar[str] = "already-exists"
    resource: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"A community with the code {self.resource} exists already."
