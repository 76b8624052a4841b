"""Why a site is not registered, and a vendor does not apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SiteCodeTaken(Refusal):
    """Another site has this code."""

    code: ClassVar[str] = "site-code-taken"
    site_code: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"The community has a site with the code {self.site_code} already. Choose another code."


@dataclass(frozen=True, slots=True)
class VendorBarred(Refusal):
    """The vendor stayed away from pitches that others could have had."""

    code: ClassVar[str] = "vendor-barred"
    until: datetime

    @property
    def detail(self) -> str:
        """Say until when."""
        return f"The vendor did not come to pitches twice, and applies for none until {self.until.isoformat()}."
