"""What goods and stock movements look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.goods.rules import Goods, Stock
from app.goods.service import NewGoods
from app.http.fields import UNCHANGED, ChangeModel, Code, Line, Name, Paragraph, Positive, RequestModel, Whole
from app.http.pages import PageModel
from app.http.receipts import ReceiptField

if TYPE_CHECKING:
    from typing import Self

LimitPeriod = Literal["day", "month", "quarter", "year"]
MovementKind = Literal["received", "written_off", "counted"]
Price = Annotated[Positive, Field(le=1_000_000)]


class GoodsNew(RequestModel):
    """An article to put into the catalogue."""

    code: Code | None = Field(None, description="made when not given")
    name: Name
    specification: Line | None = None
    points_price: Price
    limit_per_person: Positive | None = Field(None, description="pieces per person within `limit_period`")
    limit_per_household: Positive | None = Field(
        None, description="pieces of all members of a household together within `limit_period`"
    )
    limit_period: LimitPeriod = Field("month", description="by the community's calendar")

    def command(self, community: int) -> NewGoods:
        """Make the command of it."""
        return NewGoods(community=community, **self.model_dump())


class GoodsChange(ChangeModel):
    """What to change of an article. Its code stays, because paper and other systems know it by that."""

    name: Name = UNCHANGED
    specification: Line | None = UNCHANGED
    points_price: Price = UNCHANGED
    limit_per_person: Positive | None = UNCHANGED
    limit_per_household: Positive | None = UNCHANGED
    limit_period: LimitPeriod = UNCHANGED


class StockModel(BaseModel):
    """Where an article's pieces are."""

    model_config = ConfigDict(title="Stock", from_attributes=True)

    shelf: int
    reserved: int
    handed_out: int
    written_off: int


class GoodsModel(BaseModel):
    """An article (商品) with its stock."""

    model_config = ConfigDict(title="Goods")

    id: UUID
    code: str
    name: str
    specification: str | None
    points_price: int
    limit_per_person: int | None
    limit_per_household: int | None
    limit_period: LimitPeriod
    stock: StockModel
    created_at: datetime

    @classmethod
    def of(cls, article: Goods, stock: Stock) -> GoodsModel:
        """Show an article."""
        return cls(
            id=article.id,
            code=article.code,
            name=article.name,
            specification=article.specification,
            points_price=article.points_price,
            limit_per_person=article.limit_per_person,
            limit_per_household=article.limit_per_household,
            limit_period=article.limit_period,
            stock=StockModel.model_validate(stock),
            created_at=article.created_at,
        )


class GoodsPage(PageModel[GoodsModel]):
    """A page of the catalogue."""


class StockMovementNew(RequestModel):
    """Stock to move."""

    kind: MovementKind
    quantity: Whole = Field(description="pieces; of `counted` those found, and the difference is posted")
    note: Paragraph | None = None

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if self.kind != "counted" and self.quantity == 0:
            message = "quantity has to be 1 or more, unless pieces were counted"
            raise ValueError(message)
        return self


class StockMovementModel(BaseModel):
    """A movement of stock."""

    model_config = ConfigDict(title="StockMovement", from_attributes=True)

    id: UUID
    goods_id: UUID
    kind: MovementKind
    quantity: int
    change: int = Field(description="what it did to the shelf")
    note: str | None
    moved_by: str
    moved_at: datetime
    transaction_id: int | None = Field(description="null when a count found just what was there")
    receipt: ReceiptField = None


class StockMovementPage(PageModel[StockMovementModel]):
    """A page of stock movements."""
