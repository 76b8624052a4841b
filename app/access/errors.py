"""Why a caller is turned away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class InvalidToken(Refusal):
    """The access token does not hold; the sentence says which part."""

    code: ClassVar[str] = "invalid-token"
    kept: ClassVar[bool] = False
    reason: str

    @property
    def detail(self) -> str:
        """Say what is wrong with the token."""
        return f"The access token is not valid here: {self.reason}. Ask /oauth2/token for a new one."


@dataclass(frozen=True, slots=True)
class RoleMissing(Refusal):
    """The caller's role may not do this."""

    code: ClassVar[str] = "role-missing"
    kept: ClassVar[bool] = False
    role: str
    roles: tuple[str, ...]

    @property
    def detail(self) -> str:
        """Name the caller's role and those that may."""
        return f"The role {self.role} may not do this; {', '.join(self.roles)} may."
