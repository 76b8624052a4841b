"""Routes for anyone: the city's log, as a newspaper is, the key that signs, and the page that checks offline."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse

from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import ANYONE, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.seals import proofs
from app.seals.page import HEADERS, PAGE
from app.seals.schemas import (
    CheckpointModel,
    CheckpointPage,
    ConsistencyModel,
    Earlier,
    Later,
    LedgerKeyModel,
    Number,
)

router = Router(prefix="/v1/ledger", tags=["seals"])
page = Router(tags=["seals"])


@router.get(
    "/checkpoint",
    response_model=CheckpointModel,
    **operation(roles=ANYONE, summary="Read the city's last checkpoint", problems=["not-found"]),
)
async def get_city_checkpoint(context: ContextDep) -> CheckpointModel:
    """The city's log of the communities' checkpoints, as it was sealed last."""
    async with context.database.read(CITY) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, CITY))


@router.get(
    "/checkpoints",
    response_model=CheckpointPage,
    **operation(roles=ANYONE, summary="List the city's checkpoints", problems=["invalid-cursor"]),
)
async def list_city_checkpoints(listing: ListingDep) -> CheckpointPage:
    """The checkpoints of the city's log, newest first."""
    found = await listing.page("checkpoints", CITY, proofs.list_checkpoints, place=lambda one: one.tree_size)
    return CheckpointPage.of(found, CheckpointModel.of)


@router.get(
    "/checkpoints/{tree_size}",
    response_model=CheckpointModel,
    **operation(roles=ANYONE, summary="Read a checkpoint of the city's", problems=["not-found"]),
)
async def get_city_checkpoint_of_size(tree_size: Number, context: ContextDep) -> CheckpointModel:
    """The checkpoint of the city's log of a size, with all its signatures."""
    async with context.database.read(CITY) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, CITY, size=tree_size))


@router.get(
    "/consistency",
    response_model=ConsistencyModel,
    **operation(roles=ANYONE, summary="Prove that nothing in the city's log was changed", problems=["not-found"]),
)
async def get_city_consistency(context: ContextDep, earlier: Earlier = None, later: Later = None) -> ConsistencyModel:
    """Proof that the city's log at a later checkpoint begins with the one at an earlier checkpoint (RFC 6962)."""
    async with context.database.read(CITY) as session:
        return ConsistencyModel.of(await proofs.prove_consistency(session, CITY, earlier, later))


@router.get(
    "/key",
    response_model=LedgerKeyModel,
    **operation(roles=ANYONE, summary="Read the key that signs receipts and checkpoints"),
)
async def get_ledger_key(context: ContextDep) -> LedgerKeyModel:
    """The public key. Hold it against one that you have from elsewhere, such as the notice board."""
    return LedgerKeyModel.of(context.database.signer)


@page.get(
    "/verify",
    response_class=HTMLResponse,
    **operation(roles=ANYONE, summary="Get the page that checks receipts offline"),
)
async def get_verify() -> Response:
    """One file without network access, to be kept: it checks receipts, proofs and checkpoints in a browser."""
    return HTMLResponse(PAGE, headers=HEADERS)
