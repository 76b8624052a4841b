"""A community with one of everything that a path or a body may name, so that any operation can really be called."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.notes import PublicKey, cosign, read_note
from app.seals.service import Sealer
from tests.bank import done
from tests.contract.makers import MAKERS, NARROWER, PREPARING
from tests.contract.spec import JSON

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx

    from tests.bank import Api, Bank
    from tests.contract.spec import Operation

Headers = dict[str, str]

ANOTHER_VOLUNTEER = "another volunteer"
"""A caller beside the roles: a volunteer who has nothing of what is named."""

NO_TOKEN = "no token"  # noqa: S105  a caller who has none

USE_UP_A_VOLUNTEER = {"issue_card", "erase_volunteer"}
"""Operations after which the volunteer's token is none any more."""


@dataclass
class Furnished:
    """A community, with what a request may name in it: `named` has values by the name of a parameter or field."""

    bank: Bank
    id: str
    number: int
    roles: dict[str, Api]
    volunteer_id: str
    goods_id: str
    day: dt.date
    named: dict[str, Any] = field(default_factory=dict)

    @classmethod
    async def of(cls, bank: Bank) -> Self:
        """Furnish the bank's community."""
        # So early that days to serve on do not run out, however many requests there will be.
        await bank.kind(points_per_hour=10_000, effective_from="1975-01-01")
        consent = {"version": "2024-09", "given_at": "1975-01-01T09:00:00+08:00"}
        volunteer, article = await bank.volunteer(consent=consent), await bank.goods(pieces=1000, price=1)
        await bank.hours(volunteer["id"], minutes=480)
        roles = {**bank.roles, "city_admin": bank.city, "volunteer": await bank.volunteer_api(volunteer["id"])}
        another = await bank.volunteer(consent=consent)
        await bank.hours(another["id"], minutes=480)
        roles[ANOTHER_VOLUNTEER] = await bank.volunteer_api(another["id"])
        day = dt.date(2026, 3, 1)
        furnished = cls(bank, bank.community["id"], bank.number, roles, volunteer["id"], article["id"], day)
        ids = ("service_record", "redemption", "client", "household", "transfer", "to_volunteer", "dispute", "audit")
        sealer = Sealer(bank.database)
        await sealer.seal_due()
        bank.clock.move(minutes=1)
        await sealer.seal_city()
        done(await bank.manager.post("witnesses", _new_witness()[1]), 201)
        done(await bank.city.post("/v1/witnesses", _new_witness()[1]), 201)
        furnished.named = await furnished.fresh({*(f"{noun}_id" for noun in ids), *MAKERS})
        return furnished

    async def named_for(self, operation: Operation) -> dict[str, Any]:
        """What an operation's path may name; the city's checkpoints have other sizes than the community's."""
        narrower = {name: self.named[kind] for name, kind in NARROWER.get(operation.id, {}).items()}
        if operation.of_community or "tree_size" not in operation.path_parameters:
            return {**self.named, **narrower}
        return {**self.named, "tree_size": (await self._checkpoint(of_city=True))["tree_size"]}

    async def path_and_body(self, operation: Operation, *, fresh: bool = False) -> tuple[str, Any]:
        """The operation's path and example body with real values in them; fresh ones for an operation that uses up."""
        values = await self.named_for(operation)
        if fresh:
            asked = {*operation.path_parameters, *names_in(operation.example)}
            values = {**values, **await self.fresh(asked, of_city=not operation.of_community)}
            if operation.id in USE_UP_A_VOLUNTEER:
                values = {**values, "volunteer_id": await self.new_volunteer()}
            await self._prepare(operation, values)
        path = operation.path
        for parameter in operation.path_parameters:
            wanted = "problem_code" if parameter == "code" else parameter
            assert wanted in values, f"teach tests.contract.furnished to make a {parameter} for {operation.id}"
            path = path.replace(f"{{{parameter}}}", str(values[wanted]))
        return path, with_real(operation.example, values)

    async def _prepare(self, operation: Operation, values: dict[str, Any]) -> None:
        """Bring what the operation works on into the state that it needs."""
        if operation.id in PREPARING:
            await PREPARING[operation.id](self, values)
        if operation.id == "correct_service_record":
            path = f"service-records/{values['service_record_id']}/verification"
            done(await self.roles["verifier"].post(path, {"decision": "approve"}), 200)
        if operation.id == "return_redemption":
            path = f"redemptions/{values['redemption_id']}/collection"
            done(await self.roles["front_desk"].post(path, {"pickup_code": values["pickup_code"]}), 200)

    def admitted(self, operation: Operation) -> Headers:
        """The headers of a caller whom the operation admits."""
        return self.callers().get(operation.roles[0], {})

    def callers(self) -> dict[str, Headers]:
        """The headers of everybody: the roles, another volunteer, and one who has no token."""
        return {**{caller: authorized(api) for caller, api in self.roles.items()}, NO_TOKEN: {}}

    async def fresh(self, wanted: Collection[str], *, of_city: bool = False) -> dict[str, Any]:
        """Values by the name of the parameter or field that they are for, each still to be used."""
        day, made = self.next_day(), {}
        if "service_record_id" in wanted:
            record = self.bank.record(self.volunteer_id, start=f"{day}T09:00")
            made["service_record_id"] = done(await self.roles["front_desk"].post("service-records", record), 201)["id"]
        if {"redemption_id", "pickup_code"} & set(wanted):
            lines = [{"goods_id": self.goods_id, "quantity": 1}]
            body = {"volunteer_id": self.volunteer_id, "lines": lines}
            redemption = done(await self.roles["front_desk"].post("redemptions", body), 201)
            made |= {"redemption_id": redemption["id"], "pickup_code": redemption["pickup_code"]}
        if "transfer_id" in wanted:
            gift = {"from_volunteer_id": self.volunteer_id, "to_pool": True, "points": 1}
            made["transfer_id"] = done(await self.roles["front_desk"].post("transfers", gift), 201)["id"]
        if "to_volunteer_id" in wanted:
            made |= {"from_volunteer_id": self.volunteer_id, "to_volunteer_id": await self.new_volunteer()}
        if "dispute_id" in wanted:
            record = self.bank.record(self.volunteer_id, start=f"{self.next_day()}T09:00")
            contested = done(await self.roles["front_desk"].post("service-records", record), 201)["id"]
            dispute = {"volunteer_id": self.volunteer_id, "service_record_id": contested, "reason": "记错了"}
            made["dispute_id"] = done(await self.roles["front_desk"].post("disputes", dispute), 201)["id"]
        made |= await self._of_witness(wanted, of_city=of_city)
        if "audit_id" in wanted:
            made["audit_id"] = done(await self.roles["auditor"].post("ledger/audits"), 202)["id"]
        if "household_id" in wanted:
            made["household_id"] = done(await self.roles["front_desk"].post("households", {}), 201)["id"]
        if "client_id" in wanted:
            client = done(await self.roles["manager"].post("clients", {"name": "窗口", "role": "auditor"}), 201)
            made |= {name: client[name] for name in ("client_id", "client_secret")}
        return {
            **await self._of_work(wanted, made),
            "community_id": self.id,
            "volunteer_id": self.volunteer_id,
            "volunteer_ids": [self.volunteer_id],
            "goods_id": self.goods_id,
            "transaction_id": 1,
            "tree_size": (await self._checkpoint(of_city=of_city))["tree_size"],
            "problem_code": "not-found",
            "code": uuid4().hex[:12],
            "reference": uuid4().hex,
            "phone": self.bank.phone(),
            "effective_from": str(day),
            "started_at": f"{day}T14:00:00+08:00",
            "ended_at": f"{day}T15:30:00+08:00",
        }

    async def _of_work(self, wanted: Collection[str], made: dict[str, Any]) -> dict[str, Any]:
        for name, make in MAKERS.items():
            if name in wanted and name not in made:
                made = {**made, **await make(self)}
        return made

    async def _checkpoint(self, *, of_city: bool = False) -> Any:
        if of_city:
            return done(await self.bank.http.get("/v1/ledger/checkpoint"), 200)
        return done(await self.roles["auditor"].get("ledger/checkpoint"), 200)

    async def _of_witness(self, wanted: Collection[str], *, of_city: bool) -> dict[str, Any]:
        made = _new_witness()[1] if "public_key" in wanted else {}
        return {**made, "signature": await self._witnessed(of_city=of_city)} if "signature" in wanted else made

    async def _witnessed(self, *, of_city: bool) -> str:
        """The signature of a witness, who is named just before, under the last checkpoint."""
        key, witness = _new_witness()
        if of_city:
            done(await self.bank.city.post("/v1/witnesses", witness), 201)
        else:
            done(await self.roles["manager"].post("witnesses", witness), 201)
        text = read_note((await self._checkpoint(of_city=of_city))["note"]).text
        return str(cosign(key, witness["name"], text, 1_772_424_000))

    async def new_volunteer(self) -> str:
        """The id of one more volunteer."""
        consent = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}
        body = {"name": "李佳儒", "phone": self.bank.phone(), "consent": consent}
        return str(done(await self.roles["front_desk"].post("volunteers", body), 201)["id"])

    def next_day(self) -> dt.date:
        """A day before all days given out, so that no two services overlap."""
        self.day -= dt.timedelta(days=1)
        return self.day


def authorized(api: Api) -> Headers:
    """The headers with which a caller is let in."""
    return {"Authorization": f"Bearer {api.token}"}


def _new_witness() -> tuple[Ed25519PrivateKey, dict[str, str]]:
    """A key, and the witness to name whose key it is."""
    key, name = Ed25519PrivateKey.generate(), f"{uuid4().hex}.example"
    public = PublicKey(name, key.public_key().public_bytes_raw(), is_witness=True)
    return key, {"name": name, "public_key": str(public)}


def names_in(example: Any) -> set[str]:
    """The names of all members of an example."""
    inner = example.values() if isinstance(example, dict) else example if isinstance(example, list) else ()
    return {*(example if isinstance(example, dict) else ()), *(name for one in inner for name in names_in(one))}


def with_real(example: Any, values: dict[str, Any]) -> Any:
    """The example with real values for the members that have one."""
    if isinstance(example, dict):
        return {name: values.get(name, with_real(value, values)) for name, value in example.items()}
    if isinstance(example, list):
        return [with_real(item, values) for item in example]
    return example


async def send(http: httpx.AsyncClient, operation: Operation, path: str, body: Any, headers: Headers) -> httpx.Response:
    """Send a request of the operation, with a new key if it takes one; a change is of whichever revision there is."""
    key = {"Idempotency-Key": uuid4().hex} if operation.is_keyed else {}
    if operation.method == "PATCH":
        key["If-Match"] = "*"
    sent = {} if operation.body is None else {"json" if operation.body[0] == JSON else "data": body}
    return await http.request(operation.method, path, headers={**key, **headers}, **sent)
