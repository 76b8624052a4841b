"""Routes of checkpoints and proofs."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from app.access.guard import AdmittedDep
from app.communities.service import communities_by_number
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import AUDITORS, LOG_READERS, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.seals import proofs
from app.seals.notice import notice_page
from app.seals.schemas import CheckpointModel, CheckpointPage, ConsistencyModel, Earlier, Later, Number

router = Router(prefix="/v1/communities/{community_id}", tags=["seals"])


@router.get(
    "/ledger/checkpoint",
    response_model=CheckpointModel,
    **operation(roles=LOG_READERS, summary="Read the last checkpoint"),
)
async def get_checkpoint(context: ContextDep, admitted: AdmittedDep) -> CheckpointModel:
    """The community's ledger as it was sealed last, signed by the service and by whoever witnessed it."""
    async with context.database.read(admitted.community) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, admitted.community))


@router.get(
    "/ledger/checkpoint/notice",
    response_class=HTMLResponse,
    **operation(roles=READERS, summary="Print the last checkpoint"),
)
async def get_checkpoint_notice(context: ContextDep, admitted: AdmittedDep) -> Response:
    """A page for the notice board: the checkpoint in words and as a QR code."""
    async with context.database.read(admitted.community) as session:
        found = await proofs.read_checkpoint(session, admitted.community)
        communities = await session.ask(communities_by_number(session.dialect, [admitted.community]))
    keys = context.database.signer.keys_of(admitted.community)
    return HTMLResponse(notice_page(communities[admitted.community], found, keys))


@router.get(
    "/ledger/checkpoints",
    response_model=CheckpointPage,
    **operation(roles=LOG_READERS, summary="List checkpoints", problems=["invalid-cursor"]),
)
async def list_checkpoints(listing: ListingDep, admitted: AdmittedDep) -> CheckpointPage:
    """The community's checkpoints, newest first."""
    page = await listing.page(
        "checkpoints", admitted.community, proofs.list_checkpoints, place=lambda one: one.tree_size
    )
    return CheckpointPage.of(page, CheckpointModel.of)


@router.get(
    "/ledger/checkpoints/{tree_size}",
    response_model=CheckpointModel,
    **operation(roles=LOG_READERS, summary="Read a checkpoint"),
)
async def get_checkpoint_of_size(tree_size: Number, context: ContextDep, admitted: AdmittedDep) -> CheckpointModel:
    """The checkpoint of a size, with all its signatures."""
    async with context.database.read(admitted.community) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, admitted.community, size=tree_size))


@router.get(
    "/ledger/transactions/{transaction_id}/proof",
    response_class=PlainTextResponse,
    **operation(roles=AUDITORS, summary="Prove a transaction", problems=["not-yet-sealed"]),
)
async def get_transaction_proof(transaction_id: Number, context: ContextDep, admitted: AdmittedDep) -> Response:
    """Proof that the transaction is in the sealed tree (c2sp.org/tlog-proof), with what its leaf stands for."""
    async with context.database.read(admitted.community) as session:
        return PlainTextResponse(await proofs.prove_transaction(session, admitted.community, transaction_id))


@router.get(
    "/ledger/consistency",
    response_model=ConsistencyModel,
    **operation(roles=LOG_READERS, summary="Prove that nothing sealed was changed"),
)
async def get_consistency(
    context: ContextDep,
    admitted: AdmittedDep,
    earlier: Earlier = None,
    later: Later = None,
) -> ConsistencyModel:
    """Proof that the tree of a later checkpoint begins with that of an earlier one (RFC 6962)."""
    async with context.database.read(admitted.community) as session:
        return ConsistencyModel.of(await proofs.prove_consistency(session, admitted.community, earlier, later))


@router.get(
    "/ledger/city-proof",
    response_class=PlainTextResponse,
    **operation(roles=READERS, summary="Prove a checkpoint in the city's log", problems=["not-yet-sealed"]),
)
async def get_city_proof(context: ContextDep, admitted: AdmittedDep) -> Response:
    """Proof that the city's log, which grows every minute, has this community's checkpoint."""
    async with context.database.read(admitted.community, CITY) as session:
        return PlainTextResponse(await proofs.prove_in_city(session, admitted.community))
