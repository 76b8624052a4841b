"""Routes of volunteers' cards."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.access.cards import Card, NewCard
from app.access.guard import AdmittedDep
from app.access.pins import Pins, new_pin
from app.access.rules import is_weak_pin
from app.http.commands import created, submit
from app.http.context import ContextDep
from app.http.fields import RequestModel
from app.http.operations import DESK, operation
from app.http.routes import Router
from app.kernel.idempotency import Answer
from app.kernel.ids import new_id
from app.volunteers.cards import issue_cards

router = Router(prefix="/v1/communities/{community_id}/volunteers/{volunteer_id}/cards", tags=["volunteers"])


class CardNew(RequestModel):
    """A card to issue."""

    pin: str | None = Field(
        None, pattern="^[0-9]{6}$", description="six digits, not all alike, repeated or in a row; made when not given"
    )

    @field_validator("pin")
    @classmethod
    def _not_weak(cls, value: str | None) -> str | None:
        if value is not None and is_weak_pin(value):
            message = "too easy to guess: choose six digits that are not all alike, repeated or in a row"
            raise ValueError(message)
        return value


class CardIssuedModel(BaseModel):
    """A card just issued. Its PIN is shown this once."""

    model_config = ConfigDict(title="CardIssued", from_attributes=True)

    id: UUID
    volunteer_id: UUID
    card_number: str = Field(description="digits; the last one is a check digit (Luhn)", examples=["112907315538027"])
    created_at: datetime
    pin: str | None = Field(None, description="absent in a replayed answer: it is shown once")


class _Same(BaseModel):
    """What makes two requests the same. A plain hash of a PIN could be searched, so it stands keyed."""

    pin: str | None


@router.post(
    "",
    status_code=201,
    response_model=CardIssuedModel,
    **operation(roles=DESK, summary="Issue a card", keyed=True, example={"pin": "407182"}),
)
async def issue_card(
    volunteer_id: UUID, request: Request, body: CardNew, context: ContextDep, admitted: AdmittedDep
) -> Response:
    """Issue a volunteer a card with a PIN, shown this once; the card before it is revoked."""
    pins: Pins = request.app.state.pins
    card_id, pin = new_id(), body.pin or new_pin()
    # Before the community is locked, for it takes a tenth of a second.
    pin_hash = await pins.hash(card_id, pin)

    def render(card: Card) -> Answer:
        model = CardIssuedModel.model_validate(card).model_copy(update={"pin": pin})
        return created(request, card.id, model, person=card.volunteer_id, once=frozenset({"pin"}))

    return await submit(
        request,
        admitted,
        body=_Same(pin=body.pin and context.database.vault.hash("pin of a request", body.pin)),
        item=NewCard(admitted.community, volunteer_id, card_id, pin_hash),
        run=issue_cards,
        render=render,
    )
