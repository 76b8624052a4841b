"""A volunteer's journey with the client that openapi-python-client makes; checked strictly, then run as a program.

Needs the address of a service and a client of the city in the environment, and prints what is left at the end.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from love_bank_client import AuthenticatedClient, Client
from love_bank_client.api.clients import create_client
from love_bank_client.api.communities import create_community
from love_bank_client.api.earning_rules import create_earning_rule, create_service_kind
from love_bank_client.api.goods import create_goods, create_stock_movement
from love_bank_client.api.operations import get_problem
from love_bank_client.api.redemptions import collect_redemption, create_redemption
from love_bank_client.api.service_records import create_service_record, verify_service_record
from love_bank_client.api.tokens import get_token
from love_bank_client.api.volunteers import get_balance, get_statement, register_volunteer
from love_bank_client.models.balance import Balance
from love_bank_client.models.client_created import ClientCreated
from love_bank_client.models.client_new import ClientNew
from love_bank_client.models.client_new_role import ClientNewRole
from love_bank_client.models.collection_new import CollectionNew
from love_bank_client.models.community import Community
from love_bank_client.models.community_new import CommunityNew
from love_bank_client.models.consent import Consent
from love_bank_client.models.earning_rule import EarningRule
from love_bank_client.models.earning_rule_new import EarningRuleNew
from love_bank_client.models.goods import Goods
from love_bank_client.models.goods_new import GoodsNew
from love_bank_client.models.line_new import LineNew
from love_bank_client.models.problem import Problem
from love_bank_client.models.problem_explained import ProblemExplained
from love_bank_client.models.redemption import Redemption
from love_bank_client.models.redemption_new import RedemptionNew
from love_bank_client.models.service_kind import ServiceKind
from love_bank_client.models.service_kind_new import ServiceKindNew
from love_bank_client.models.service_record import ServiceRecord
from love_bank_client.models.service_record_new import ServiceRecordNew
from love_bank_client.models.statement_page import StatementPage
from love_bank_client.models.stock_movement import StockMovement
from love_bank_client.models.stock_movement_new import StockMovementNew
from love_bank_client.models.stock_movement_new_kind import StockMovementNewKind
from love_bank_client.models.token import Token
from love_bank_client.models.token_form import TokenForm
from love_bank_client.models.verification_new import VerificationNew
from love_bank_client.models.verification_new_decision import VerificationNewDecision
from love_bank_client.models.volunteer import Volunteer
from love_bank_client.models.volunteer_new import VolunteerNew

if TYPE_CHECKING:
    from uuid import UUID

    from love_bank_client.models.redemption_status import RedemptionStatus

Answer = TypeVar("Answer")
BASE = os.environ["BASE"]


def given(kind: type[Answer], answer: object) -> Answer:
    """The answer, if it is of the kind that was hoped for."""
    if not isinstance(answer, kind):
        sys.exit(f"not a {kind.__name__}: {answer}")
    return answer


def key() -> str:
    """A new Idempotency-Key."""
    return uuid4().hex


def login(client_id: str, client_secret: str) -> AuthenticatedClient:
    """A client that calls with a new token."""
    form = TokenForm(grant_type="client_credentials", client_id=client_id, client_secret=client_secret)
    token = given(Token, get_token.sync(client=Client(base_url=BASE), body=form))
    return AuthenticatedClient(base_url=BASE, token=token.access_token, raise_on_unexpected_status=True)


def opened(city: AuthenticatedClient) -> tuple[UUID, dict[ClientNewRole, AuthenticatedClient]]:
    """A new community, and a client for each of the roles that the journey needs."""
    body = CommunityNew(code="qilianlu-west", name="祁连路西社区", district="城北区", subdistrict="朝阳街道")
    community = given(Community, create_community.sync(client=city, body=body, idempotency_key=key()))
    clients = {}
    for role in (ClientNewRole.MANAGER, ClientNewRole.FRONT_DESK, ClientNewRole.VERIFIER):
        new = ClientNew(name=role.value, role=role)
        made = create_client.sync(community.id, client=city, body=new, idempotency_key=key())
        created = given(ClientCreated, made)
        # A repeated request is answered without the secret.
        clients[role] = login(created.client_id, given(str, created.client_secret))
    return community.id, clients


def filled(community: UUID, manager: AuthenticatedClient) -> UUID:
    """What a home visit earns, and ten towels on the shelf; gives the towels' id."""
    kind = ServiceKindNew(code="home_visit", name="入户探访")
    given(ServiceKind, create_service_kind.sync(community, client=manager, body=kind, idempotency_key=key()))
    rule = EarningRuleNew(service_kind="home_visit", points_per_hour=10, effective_from=dt.date(2025, 1, 1))
    given(EarningRule, create_earning_rule.sync(community, client=manager, body=rule, idempotency_key=key()))
    new = GoodsNew(name="毛巾", points_price=8)
    towels = given(Goods, create_goods.sync(community, client=manager, body=new, idempotency_key=key()))
    movement = StockMovementNew(kind=StockMovementNewKind.RECEIVED, quantity=10, note="到货")
    moved = create_stock_movement.sync(community, towels.id, client=manager, body=movement, idempotency_key=key())
    given(StockMovement, moved)
    goods_id: UUID = towels.id
    return goods_id


def registered(community: UUID, desk: AuthenticatedClient) -> UUID:
    """A volunteer."""
    consent = Consent(version="2024-09", given_at=dt.datetime(2025, 1, 1, 1, tzinfo=dt.UTC))
    person = VolunteerNew(name="李佳儒", phone="13800005678", consent=consent)
    made = given(Volunteer, register_volunteer.sync(community, client=desk, body=person, idempotency_key=key()))
    volunteer_id: UUID = made.id
    return volunteer_id


def served(community: UUID, desk: AuthenticatedClient, verifier: AuthenticatedClient, volunteer: UUID) -> int:
    """Record ninety minutes, verify them, and give the points that they earned."""
    began = dt.datetime(2025, 11, 22, 1, 30, tzinfo=dt.UTC)
    facts = ServiceRecordNew(
        volunteer_id=volunteer,
        service_kind="home_visit",
        activity_name="入户探访",
        place="祁连家园",
        content="量血压、陪老人聊天",
        organiser="祁连路西社区居委会",
        started_at=began,
        ended_at=began + dt.timedelta(minutes=90),
        minutes=90,
    )
    record = given(ServiceRecord, create_service_record.sync(community, client=desk, body=facts, idempotency_key=key()))
    decision = VerificationNew(decision=VerificationNewDecision.APPROVE)
    decided = verify_service_record.sync(community, record.id, client=verifier, body=decision, idempotency_key=key())
    award = given(ServiceRecord, decided).award
    if not award:
        sys.exit("an approved record has no award")
    points: int = award.points
    return points


def redeemed(community: UUID, desk: AuthenticatedClient, volunteer: UUID, towels: UUID) -> RedemptionStatus:
    """Reserve one towel and collect it."""
    wish = RedemptionNew(volunteer_id=volunteer, lines=[LineNew(goods_id=towels, quantity=1)])
    reserved = given(Redemption, create_redemption.sync(community, client=desk, body=wish, idempotency_key=key()))
    shown = CollectionNew(pickup_code=given(str, reserved.pickup_code))
    handed = collect_redemption.sync(community, reserved.id, client=desk, body=shown, idempotency_key=key())
    return given(Redemption, handed).status


def refused(community: UUID, desk: AuthenticatedClient, volunteer: UUID, towels: UUID) -> Problem:
    """Wish for more than there are points."""
    wish = RedemptionNew(volunteer_id=volunteer, lines=[LineNew(goods_id=towels, quantity=5)])
    return given(Problem, create_redemption.sync(community, client=desk, body=wish, idempotency_key=key()))


def main() -> None:
    """Go the whole journey."""
    city = login(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    community, clients = opened(city)
    desk = clients[ClientNewRole.FRONT_DESK]
    towels = filled(community, clients[ClientNewRole.MANAGER])
    volunteer = registered(community, desk)
    points = served(community, desk, clients[ClientNewRole.VERIFIER], volunteer)
    status = redeemed(community, desk, volunteer, towels)
    problem = refused(community, desk, volunteer, towels)
    explained = given(
        ProblemExplained, get_problem.sync(problem.code, client=Client(base_url=BASE), accept_language="zh-CN")
    )
    balance = given(Balance, get_balance.sync(community, volunteer, client=desk))
    statement = given(StatementPage, get_statement.sync(community, volunteer, client=desk))
    told = {
        "award": points,
        "redemption": status.value,
        "problem": {"code": problem.code, "status": problem.status, "needed": problem["needed"]},
        "explained": explained.title,
        "points": balance.points,
        "minutes": balance.minutes,
        "lines": [[line.unit, line.amount, line.balance_after] for line in statement.items],
    }
    sys.stdout.write(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
