"""Who may do what: every operation with every caller, held against a table of its own and against the document.

The table is written down here once more, so that a role that is forgotten or added in the service shows.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from app.http.operations import AUDITOR, CITY_ADMIN, FRONT_DESK, INTEGRATOR, MANAGER, VERIFIER, VOLUNTEER
from tests.access.test_attempts import QuickPins
from tests.access.test_cards import PIN, log_in
from tests.contract.furnished import Furnished, send
from tests.contract.spec import ANYONE, Operation
from tests.contract.test_authorization import CALLERS, expected, numbers, outcome, spoilt_tokens
from tests.contract.test_openapi import COMMITTED
from tests.redemptions.acts import cancel, reserve, rich
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.promises import answered, kept, same

if TYPE_CHECKING:
    import httpx

    from app.settings import Settings
    from tests.bank import Api, Bank

_managers = {CITY_ADMIN, MANAGER}
_desk = {*_managers, FRONT_DESK}
_accounts = {*_desk, AUDITOR, INTEGRATOR}
_readers = {*_accounts, VERIFIER}

# By what the contract's table of roles says.
TABLE: tuple[tuple[set[str], str], ...] = (
    ({ANYONE}, "get_token get_authorization_server get_keys get_livez get_readyz get_metrics get_problem"),
    ({ANYONE}, "get_city_checkpoint list_city_checkpoints get_city_checkpoint_of_size get_city_consistency get_verify"),
    ({ANYONE}, "get_ledger_key get_calendar"),
    ({CITY_ADMIN}, "create_community list_communities"),
    ({CITY_ADMIN}, "create_department list_departments register_team_member list_team_members get_team_member"),
    ({CITY_ADMIN}, "let_team_member_leave erase_team_member create_team list_teams get_team add_team_member"),
    ({CITY_ADMIN}, "list_members_of_team end_team_membership create_team_posting list_team_postings end_team_posting"),
    ({CITY_ADMIN}, "create_city_witness list_city_witnesses create_city_witness_signature"),
    (_managers, "create_client revoke_client change_community create_service_kind create_earning_rule create_goods"),
    (
        _managers,
        "change_goods create_stock_movement correct_service_record erase_volunteer decide_dispute create_witness",
    ),
    ({*_managers, AUDITOR}, "list_clients"),
    (_desk, "register_volunteer change_volunteer issue_card create_household create_service_record create_transfer"),
    (_desk, "create_service_record_batch create_redemption collect_redemption cancel_redemption return_redemption"),
    ({*_managers, VERIFIER}, "verify_service_record"),
    (_managers, "erase_beneficiary erase_need create_qualification revoke_qualification"),
    (_desk, "register_beneficiary change_beneficiary end_beneficiary create_need plan_need answer_need"),
    (_desk, "withdraw_need tell_need"),
    ({VOLUNTEER}, "create_own_need list_own_needs get_own_need withdraw_own_need"),
    (_readers, "list_needs get_need_ages get_need"),
    (_readers, "list_beneficiaries get_beneficiary list_qualifications list_qualifications_of_volunteer"),
    (_desk, "create_visit_plan change_visit_pair end_visit_plan record_visit_outcome close_visit_escalation"),
    (_readers, "list_visit_plans get_visit_plan list_visits get_visit list_visit_escalations get_visit_escalation"),
    ({VOLUNTEER}, "list_own_visits record_own_visit_outcome"),
    (_managers, "erase_vendor"),
    (_managers, "register_site make_draw"),
    (_desk, "register_vendor end_vendor set_footfall_calendar"),
    (_readers, "list_vendors get_vendor list_sites get_site get_footfall_calendar get_draw"),
    ({*_desk, VOLUNTEER}, "create_dispute withdraw_dispute"),
    (_readers, "get_community list_volunteers get_volunteer list_households get_household list_service_kinds"),
    (_readers, "list_earning_rules list_service_records get_service_record list_goods get_goods list_stock_movements"),
    ({*_readers, VOLUNTEER}, "get_checkpoint list_checkpoints get_checkpoint_of_size get_consistency"),
    (_desk, "create_partner change_partner create_clinic create_head_count"),
    (_desk, "create_calendar_feed list_calendar_feeds revoke_calendar_feed"),
    ({VOLUNTEER}, "create_own_calendar_feed list_own_calendar_feeds revoke_own_calendar_feed"),
    (_readers, "list_partners get_partner list_clinics get_clinic list_head_counts"),
    (_readers, "get_service_hours_report get_clinics_report get_team_duty_report get_stalls_report get_visits_report"),
    (_readers, "get_checkpoint_notice get_city_proof list_witnesses list_posted_teams list_posted_members"),
    (_accounts, "get_balance get_statement list_redemptions get_redemption list_transfers get_transfer"),
    ({*_accounts, VOLUNTEER}, "list_disputes get_dispute"),
    ({AUDITOR}, "list_transactions get_transaction list_accounts get_trial_balance create_audit get_audit"),
    ({AUDITOR}, "get_transaction_proof create_witness_signature"),
    ({AUDITOR, INTEGRATOR}, "list_events"),
    (_desk, "create_activity create_position create_shift move_shift skip_shift change_activity"),
    (_desk, "end_activity create_series end_series"),
    (_readers, "list_activities get_activity list_series get_series list_shifts get_shift"),
    (_desk, "create_signup cancel_signup create_standing_signup end_standing_signup"),
    (_desk, "record_attendance check_in check_out submit_attendance get_place_code"),
    (_readers, "list_attendance list_no_shows"),
    ({VOLUNTEER}, "create_own_check_in create_own_check_out"),
    (_readers, "list_signups list_shift_signups get_signup list_standing_signups get_standing_signup"),
    ({VOLUNTEER}, "list_open_shifts create_own_signup list_own_signups get_own_signup cancel_own_signup"),
    ({VOLUNTEER}, "get_own_data get_own_balance get_own_statement list_own_service_records create_own_redemption"),
    ({VOLUNTEER}, "list_own_redemptions get_own_redemption cancel_own_redemption create_own_dispute"),
    ({VOLUNTEER}, "list_own_disputes get_own_dispute withdraw_own_dispute list_own_receipts"),
)
"""The roles that may call operations, by the operations' names."""

_wrong_pins = 5


@cache
def documented() -> list[Operation]:
    """The operations of the document as it is committed, which has to say what the table says."""
    document = yaml.load(COMMITTED.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    operations = [
        Operation(method.upper(), path, declared, document)
        for path, item in document["paths"].items()
        for method, declared in item.items()
        if method != "parameters"
    ]
    table = {name: roles for roles, names in TABLE for name in names.split()}
    stated = {one.id: set(one.roles) for one in operations}
    named = sorted(name for name in {*stated, *table} if stated.get(name) != table.get(name))
    same("operations whose roles the document and this harness's table do not agree on", named, [])
    return operations


class _Cell(NamedTuple):
    """An operation, who calls it, and in whose community."""

    operation: Operation
    caller: str
    place: Furnished
    wanted: str


async def _every_operation_with_every_caller(plan: Plan, bank: Bank, other: Furnished, own: Furnished) -> None:
    """Try all that is to be refused first: not one of those changes anything."""
    cells = [
        _Cell(operation, caller, place, expected(operation, caller, own=place is own))
        for operation in documented()
        for caller in CALLERS
        for place in ((own, other) if operation.of_community else (own,))
    ]
    plan.random.shuffle(cells)
    before = await numbers(bank, own, other)
    for cell in [one for one in cells if one.wanted != "admitted"]:
        await _try(plan, bank, own, cell, fresh=False)
    same("what refused requests changed", await numbers(bank, own, other), before)
    for cell in [one for one in cells if one.wanted == "admitted"]:
        await _try(plan, bank, own, cell, fresh=cell.operation.method != "GET")


async def _try(plan: Plan, bank: Bank, own: Furnished, cell: _Cell, *, fresh: bool) -> None:
    operation, caller, place, wanted = cell
    try:
        path, body = await place.path_and_body(operation, fresh=fresh)
    except AssertionError as error:
        if "/problems/" not in str(error):
            # What this harness cannot do is nothing that the service refused.
            raise
        message = f"what {operation.id} needs was refused to who may do it: {error}"
        raise ViolationError(message) from error
    answer = await send(bank.http, operation, path, body, own.callers()[caller])
    found = _outcome(answer)
    if found != wanted:
        where = "its own" if place is own else "another"
        message = f"{operation.id} by {caller} in {where} community: {found}, expected {wanted}; {answer.text[:500]}"
        raise ViolationError(message)
    plan.count("calls")


def _outcome(answer: httpx.Response) -> str:
    """What became of a call; an answer that is no problem document is told as it is."""
    is_told = answer.is_success or answer.headers.get("content-type") == "application/problem+json"
    return outcome(answer) if is_told else f"{answer.status_code} {answer.text[:200]}"


async def _spoilt_tokens_are_none(plan: Plan, bank: Bank, settings: Settings, own: Furnished) -> None:
    assert settings.signing_key
    tokens = spoilt_tokens(settings.signing_key.get_secret_value(), settings, own)
    base = f"/v1/communities/{own.id}"
    for fault, token in tokens.items():
        answer = await bank.http.get(base, headers={"Authorization": f"Bearer {token}"})
        answered(f"a token: {fault}", answer, "200" if fault == "sound" else "invalid-token")
        plan.count("tokens")


async def _who_was_withdrawn_moves_nothing(bank: Bank) -> None:
    """Revoke a client and replace a card whose tokens have minutes to live."""
    made = answered("a client", await bank.manager.post("clients", {"name": "x", "role": "front_desk"}), "201")
    desk = await bank.login(made["client_id"], made["client_secret"], bank.desk.base)
    answered("a household", await desk.post("households"), "201")
    answered("a revocation", await bank.manager.delete(f"clients/{made['client_id']}"), "204")
    answered("a household by who was withdrawn", await desk.post("households"), "invalid-token")
    donation = {"from_volunteer_id": (await bank.volunteer())["id"], "to_pool": True, "points": 1}
    answered("a transfer by who was withdrawn", await desk.post("transfers", donation), "invalid-token")
    form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]}
    same("a token for who was withdrawn", (await bank.http.post("/oauth2/token", data=form)).status_code, 401)
    volunteer, article = await rich(bank, 20), await bank.goods(10, 1)
    before = await bank.volunteer_api(volunteer["id"])
    await bank.volunteer_api(volunteer["id"])
    order = {"lines": [{"goods_id": article["id"], "quantity": 1}]}
    answered("an order with a card that was replaced", await before.post("redemptions", order), "invalid-token")


async def _volunteers_have_only_their_own(bank: Bank) -> None:
    one, other = [await rich(bank, 20) for _ in range(2)]
    article = await bank.goods(10, 1)
    held = answered("a piece", await reserve(bank.desk, one, (article, 1)), "201")
    stranger, holder = await bank.volunteer_api(other["id"]), await bank.volunteer_api(one["id"])
    path = f"redemptions/{held['id']}"
    answered("another's redemption", await stranger.get(path), "not-found")
    answered("cancelling another's redemption", await cancel(stranger, held), "not-found")
    listed = answered("the list", await stranger.get("redemptions"), "200")
    same("another's redemptions in the list", listed["items"], [])
    answered("one's own redemption", await holder.get(path), "200")
    answered("cancelling one's own", await cancel(holder, held), "200")


async def _pins_cannot_be_guessed(bank: Bank) -> None:
    """After five wrong ones the right PIN is not looked at either, until a quarter of an hour has passed."""
    path = f"volunteers/{(await bank.volunteer())['id']}/cards"
    card = answered("a card", await bank.desk.post(path, {"pin": PIN}), "201")
    for _ in range(_wrong_pins):
        same("a wrong PIN", (await log_in(bank, card, "907182")).status_code, 400)
    same("the right PIN after five wrong ones", (await log_in(bank, card, PIN)).status_code, 400)
    bank.clock.move(minutes=15, seconds=1)
    answer = await log_in(bank, card, PIN)
    same("the right PIN a quarter of an hour later", answer.status_code, 200)


async def _names_are_for_those_who_need_them(bank: Bank) -> None:
    who = await bank.volunteer(name="张文静")
    path = f"volunteers/{who['id']}"
    views: list[tuple[Api, str, bool]] = [
        (bank.desk, "张文静", True),
        (bank.manager, "张文静", True),
        (bank.verifier, "张文静", False),
        (bank.auditor, "张**", False),
        (bank.integrator, "张**", False),
    ]
    for api, name, whole in views:
        seen: Any = answered("a volunteer's page", await api.get(path), "200")
        phone = who["phone"] if whole else f"{who['phone'][:3]}****{who['phone'][-4:]}"
        same("what is shown of a volunteer", (seen["name"], seen["phone"]), (name, phone))
        page = answered("the volunteers", await api.get("volunteers", limit=200), "200")["items"]
        kept("lists show no whole phone", holds=all("****" in one["phone"] for one in page), found=api.client_id)


async def _world(plan: Plan) -> None:
    async with counters(plan.engine) as (counting, settings):
        bank = counting.bank
        bank.app.state.pins = QuickPins(bank.database.vault)
        other = await Furnished.of(bank)
        for _ in rounds(plan):
            await bank.open_community()
            own = await Furnished.of(bank)
            await _spoilt_tokens_are_none(plan, bank, settings, own)
            await _who_was_withdrawn_moves_nothing(bank)
            await _volunteers_have_only_their_own(bank)
            await _pins_cannot_be_guessed(bank)
            await _names_are_for_those_who_need_them(bank)
            await _every_operation_with_every_caller(plan, bank, other, own)


def run(plan: Plan) -> None:
    """Try all rights, again and again."""
    in_worlds(plan, _world)


PART = Part("rights", BOTH, run, targets={"calls": 50_000}, core_seconds=2, smoke_seconds=3)
