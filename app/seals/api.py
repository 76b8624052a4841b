"""Routes of checkpoints and proofs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from app.access.guard import AdmittedDep
from app.communities.service import communities_by_number
from app.http.commands import submit
from app.http.context import ContextDep
from app.http.lists import ListingDep
from app.http.operations import ANYONE, AUDITORS, READERS, operation
from app.http.routes import Router
from app.kernel.heads import CITY
from app.kernel.idempotency import Answer
from app.seals import proofs
from app.seals.notice import notice_page
from app.seals.page import HEADERS, PAGE
from app.seals.rules import Sealed
from app.seals.schemas import CheckpointModel, CheckpointPage, ConsistencyModel, WitnessSignatureNew

router = Router(prefix="/v1/communities/{community_id}", tags=["seals"])
public = Router(tags=["seals"])

_NUMBER_MAX = 2**53 - 1
_Number = Annotated[int, Path(ge=1, le=_NUMBER_MAX)]


@router.get(
    "/ledger/checkpoint", response_model=CheckpointModel, **operation(roles=READERS, summary="Read the last checkpoint")
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
    key = context.database.signer.key_of(admitted.community)
    return HTMLResponse(notice_page(communities[admitted.community], found, key))


@router.get(
    "/ledger/checkpoints",
    response_model=CheckpointPage,
    **operation(roles=READERS, summary="List checkpoints", problems=["invalid-cursor"]),
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
    **operation(roles=READERS, summary="Read a checkpoint"),
)
async def get_checkpoint_of_size(tree_size: _Number, context: ContextDep, admitted: AdmittedDep) -> CheckpointModel:
    """The checkpoint of a size, with all its signatures."""
    async with context.database.read(admitted.community) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, admitted.community, size=tree_size))


@router.get(
    "/ledger/transactions/{transaction_id}/proof",
    response_class=PlainTextResponse,
    **operation(roles=AUDITORS, summary="Prove a transaction", problems=["not-yet-sealed"]),
)
async def get_transaction_proof(transaction_id: _Number, context: ContextDep, admitted: AdmittedDep) -> Response:
    """Proof that the transaction is in the sealed tree (c2sp.org/tlog-proof), with what its leaf stands for."""
    async with context.database.read(admitted.community) as session:
        return PlainTextResponse(await proofs.prove_transaction(session, admitted.community, transaction_id))


@router.get(
    "/ledger/consistency",
    response_model=ConsistencyModel,
    **operation(roles=READERS, summary="Prove that nothing sealed was changed"),
)
async def get_consistency(
    context: ContextDep,
    admitted: AdmittedDep,
    earlier: Annotated[
        int | None, Query(alias="from", ge=1, le=_NUMBER_MAX, description="size of a checkpoint; else the first")
    ] = None,
    later: Annotated[
        int | None, Query(alias="to", ge=1, le=_NUMBER_MAX, description="size of a later one; else the last")
    ] = None,
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


@router.post(
    "/witness-signatures",
    status_code=201,
    response_model=CheckpointModel,
    **operation(
        roles=AUDITORS,
        summary="Witness a checkpoint",
        keyed=True,
        problems=["invalid-signature", "already-witnessed"],
        example={
            "tree_size": 41,
            "public_key": "witness.example+c54c21aa+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
            "signature": "— witness.example xUwhqgAAAABlU/EAAAECAwQFBgcICQoLDA0ODw==",
        },
    ),
)
async def create_witness_signature(
    request: Request, community_id: UUID, body: WitnessSignatureNew, admitted: AdmittedDep
) -> Response:
    """Stand a witness's signature under a checkpoint, which is answered with all its signatures."""

    def render(sealed: Sealed) -> Answer:
        location = f"/v1/communities/{community_id}/ledger/checkpoints/{sealed.tree_size}"
        return Answer(201, CheckpointModel.of(sealed).model_dump_json().encode(), location=location)

    return await submit(
        request,
        admitted,
        body=body,
        item=proofs.NewSignature(
            admitted.community, body.tree_size, body.public_key, body.signature, admitted.caller_id
        ),
        run=proofs.add_signatures,
        render=render,
    )


@public.get(
    "/city-checkpoint",
    response_model=CheckpointModel,
    **operation(roles=ANYONE, summary="Read the city's last checkpoint", problems=["not-found"]),
)
async def get_city_checkpoint(context: ContextDep) -> CheckpointModel:
    """The city's log of the communities' checkpoints, as it was sealed last; for anyone, as a newspaper is."""
    async with context.database.read(CITY) as session:
        return CheckpointModel.of(await proofs.read_checkpoint(session, CITY))


@public.get(
    "/verify",
    response_class=HTMLResponse,
    **operation(roles=ANYONE, summary="Get the page that checks receipts offline"),
)
async def get_verify() -> Response:
    """One file without network access, to be kept: it checks receipts, proofs and checkpoints in a browser."""
    return HTMLResponse(PAGE, headers=HEADERS)
