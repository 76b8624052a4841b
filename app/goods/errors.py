"""Why an article is not created or found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class GoodsExist(Refusal):
    """The catalogue has an article with this code."""

    code: ClassVar[str] = "already-exists"
    resource: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"The catalogue has an article with the code {self.resource} already."


@dataclass(frozen=True, slots=True)
class UnknownGoods(Refusal):
    """The catalogue has no such article."""

    code: ClassVar[str] = "unknown-goods"
    goods: str

    @property
    def detail(self) -> str:
        """Name the id or code that was sent."""
        return f"There is no article {self.goods} in this community's catalogue."


@dataclass(frozen=True, slots=True)
class OutOfStock(Refusal):
    """Fewer pieces are free on the shelf than asked for."""

    code: ClassVar[str] = "out-of-stock"
    goods: str
    available: int
    needed: int

    @property
    def detail(self) -> str:
        """Say what there is."""
        return f"{self.available} of {self.goods} are free on the shelf, {self.needed} were asked for."
