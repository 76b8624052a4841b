"""Routes of witnesses: who they are, and what they sign. Those of the city's log are the city's own matter."""

from __future__ import annotations

from fastapi import Request, Response

from app.access.guard import Admitted, AdmittedDep
from app.http.commands import created, submit
from app.http.lists import ListingDep
from app.http.operations import AUDITORS, CITY, MANAGERS, READERS, operation
from app.http.routes import Router
from app.kernel.idempotency import Answer
from app.seals import proofs, witnesses
from app.seals.rules import Sealed
from app.seals.schemas import CheckpointModel, WitnessModel, WitnessNew, WitnessPage, WitnessSignatureNew

router = Router(prefix="/v1/communities/{community_id}", tags=["seals"])
city = Router(prefix="/v1", tags=["seals"])

_witness = {
    "name": "witness.example",
    "public_key": "witness.example+c54c21aa+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
}
_signature = {"tree_size": 41, "signature": "— witness.example xUwhqgAAAABlU/EAAAECAwQFBgcICQoLDA0ODw=="}
_of_signature = ["invalid-signature", "unknown-witness", "already-witnessed"]


@router.post(
    "/witnesses",
    status_code=201,
    response_model=WitnessModel,
    **operation(roles=MANAGERS, summary="Name a witness", keyed=True, problems=["already-exists"], example=_witness),
)
async def create_witness(request: Request, body: WitnessNew, admitted: AdmittedDep) -> Response:
    """Name who may countersign the community's checkpoints, with its key; the name stands for that key for good."""
    return await _named(request, body, admitted)


@router.get(
    "/witnesses",
    response_model=WitnessPage,
    **operation(roles=READERS, summary="List witnesses", problems=["invalid-cursor"]),
)
async def list_witnesses(listing: ListingDep, admitted: AdmittedDep) -> WitnessPage:
    """Who may countersign the community's checkpoints, newest first."""
    return await _listed(listing, admitted)


@router.post(
    "/witness-signatures",
    status_code=201,
    response_model=CheckpointModel,
    **operation(roles=AUDITORS, summary="Witness a checkpoint", keyed=True, problems=_of_signature, example=_signature),
)
async def create_witness_signature(request: Request, body: WitnessSignatureNew, admitted: AdmittedDep) -> Response:
    """Stand a witness's signature under a checkpoint, which is answered with all its signatures."""
    return await _signed(request, body, admitted)


@city.post(
    "/witnesses",
    status_code=201,
    response_model=WitnessModel,
    **operation(
        roles=CITY,
        summary="Name a witness of the city's log",
        keyed=True,
        problems=["already-exists"],
        example=_witness,
    ),
)
async def create_city_witness(request: Request, body: WitnessNew, admitted: AdmittedDep) -> Response:
    """Name who may countersign the city's checkpoints, with its key; the name stands for that key for good."""
    return await _named(request, body, admitted)


@city.get(
    "/witnesses",
    response_model=WitnessPage,
    **operation(roles=CITY, summary="List witnesses of the city's log", problems=["invalid-cursor"]),
)
async def list_city_witnesses(listing: ListingDep, admitted: AdmittedDep) -> WitnessPage:
    """Who may countersign the city's checkpoints, newest first."""
    return await _listed(listing, admitted)


@city.post(
    "/witness-signatures",
    status_code=201,
    response_model=CheckpointModel,
    **operation(
        roles=CITY, summary="Witness a checkpoint of the city's", keyed=True, problems=_of_signature, example=_signature
    ),
)
async def create_city_witness_signature(request: Request, body: WitnessSignatureNew, admitted: AdmittedDep) -> Response:
    """Stand a witness's signature under a checkpoint of the city's log; the city hands it in for its witnesses."""
    return await _signed(request, body, admitted)


async def _named(request: Request, body: WitnessNew, admitted: Admitted) -> Response:
    return await submit(
        request,
        admitted,
        body=body,
        item=witnesses.NewWitness(admitted.community, body.name, body.public_key, admitted.caller_id),
        run=witnesses.name_witnesses,
        render=lambda witness: created(request, witness.id, WitnessModel.model_validate(witness)),
    )


async def _listed(listing: ListingDep, admitted: Admitted) -> WitnessPage:
    page = await listing.page("witnesses", admitted.community, witnesses.list_witnesses)
    return WitnessPage.of(page, WitnessModel.model_validate)


async def _signed(request: Request, body: WitnessSignatureNew, admitted: Admitted) -> Response:
    base = request.scope["path"].rpartition("/")[0]

    def render(sealed: Sealed) -> Answer:
        location = f"{base}/ledger/checkpoints/{sealed.tree_size}"
        return Answer(201, CheckpointModel.of(sealed).model_dump_json().encode(), location=location)

    return await submit(
        request,
        admitted,
        body=body,
        item=proofs.NewSignature(admitted.community, body.tree_size, body.signature, admitted.caller_id),
        run=proofs.add_signatures,
        render=render,
    )
