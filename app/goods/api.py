"""Routes of goods and their stock."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import Request, Response

from app.access.guard import AdmittedDep
from app.goods import service
from app.goods.rules import Stock
from app.goods.schemas import (
    GoodsChange,
    GoodsModel,
    GoodsNew,
    GoodsPage,
    StockMovementModel,
    StockMovementNew,
    StockMovementPage,
)
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.edits import ExpectedDep, edit, etag
from app.http.lists import ListingDep
from app.http.operations import MANAGERS, READERS, operation
from app.http.routes import Router

router = Router(prefix="/v1/communities/{community_id}/goods", tags=["goods"])

_nothing_yet = Stock(0, 0, 0, 0)


@router.post(
    "",
    status_code=201,
    response_model=GoodsModel,
    **operation(
        roles=MANAGERS,
        summary="Create an article",
        keyed=True,
        problems=["already-exists"],
        example={
            "code": "G01",
            "name": "食用油",
            "specification": "1.8L/瓶",
            "points_price": 120,
            "limit_per_person": 1,
        },
    ),
)
async def create_goods(request: Request, body: GoodsNew, admitted: AdmittedDep) -> Response:
    """Put an article into the catalogue, with an empty shelf."""
    return await submit(
        request,
        admitted,
        body=body,
        item=body.command(admitted.community),
        run=service.create_goods,
        render=lambda article: created(request, article.id, GoodsModel.of(article, _nothing_yet)),
    )


@router.get("", response_model=GoodsPage, **operation(roles=READERS, summary="List goods", problems=["invalid-cursor"]))
async def list_goods(listing: ListingDep, admitted: AdmittedDep) -> GoodsPage:
    """The catalogue with its stock, newest first."""
    page = await listing.page("goods", admitted.community, service.list_goods, place=lambda pair: pair[0].number)
    return GoodsPage.of(page, lambda pair: GoodsModel.of(*pair))


@router.get(
    "/{goods_id}", response_model=GoodsModel, **operation(roles=READERS, summary="Read an article", tagged=True)
)
async def get_goods(goods_id: UUID, response: Response, context: ContextDep, admitted: AdmittedDep) -> GoodsModel:
    """One article with its stock. The ETag is of the article alone; moving stock leaves it."""
    async with context.database.read(admitted.community) as session:
        article, stock = await service.get_goods(session, admitted.community, goods_id)
    response.headers["ETag"] = etag(article.revision)
    return GoodsModel.of(article, stock)


@router.patch(
    "/{goods_id}",
    response_model=GoodsModel,
    **operation(
        roles=MANAGERS,
        summary="Change an article",
        edits=True,
        example={"points_price": 150, "limit_per_person": None},
    ),
)
async def change_goods(
    goods_id: UUID, request: Request, body: GoodsChange, admitted: AdmittedDep, expected: ExpectedDep
) -> Response:
    """Change what the catalogue says of an article; reserved goods keep the price they were reserved at."""
    return await edit(
        request,
        admitted,
        item=service.GoodsChange(admitted.community, goods_id, body.changes(), expected),
        run=service.change_goods,
        render=lambda pair: (GoodsModel.of(*pair), pair[0].revision),
    )


@router.post(
    "/{goods_id}/stock-movements",
    status_code=201,
    response_model=StockMovementModel,
    **operation(
        roles=MANAGERS,
        summary="Move stock",
        keyed=True,
        problems=["out-of-stock"],
        example={"kind": "received", "quantity": 160, "note": "年初进货"},
    ),
)
async def create_stock_movement(
    goods_id: UUID, request: Request, body: StockMovementNew, admitted: AdmittedDep
) -> Response:
    """Receive, write off or count pieces, as one transaction of the ledger."""
    return await submit(
        request,
        admitted,
        body=body,
        item=service.NewStockMovement(
            admitted.community, goods_id, body.kind, body.quantity, admitted.caller_id, body.note
        ),
        run=service.move_stock,
        render=lambda movement: created(
            request,
            movement.id,
            StockMovementModel.model_validate(movement),
            posted=(f"goods/{movement.goods_id}/stock-movements/{movement.id}",),
        ),
    )


@router.get(
    "/{goods_id}/stock-movements",
    response_model=StockMovementPage,
    **operation(roles=READERS, summary="List stock movements", problems=["invalid-cursor"]),
)
async def list_stock_movements(goods_id: UUID, listing: ListingDep, admitted: AdmittedDep) -> StockMovementPage:
    """An article's stock movements, newest first."""
    find = partial(service.list_movements, goods_id=goods_id)
    page = await listing.page(f"stock-movements/{goods_id}", admitted.community, find)
    return StockMovementPage.of(page, StockMovementModel.model_validate)
