"""What seals bind and prove, worked out a second time from what is documented: leaves, trees, proofs and signatures."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa

from app import ledger
from app.kernel.errors import Refused
from app.kernel.heads import CITY
from app.kernel.merkle import is_consistent
from app.kernel.notes import read_note
from app.ledger import Entry, InconsistentError, NewAccount
from app.ledger.tables import ledger_accounts, ledger_postings, ledger_transactions
from app.seals import offline, proofs, store
from app.seals.service import Sealer
from tests.kernel.test_merkle import audit_path, spoilt, sub_proof, tree_hash
from tests.ledger.books import ACCOUNTS, FRIEND, ISSUED, POINTS
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.promises import kept, same
from tests.soak.waiting import in_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from random import Random

    from app.kernel.database import Database, Session
    from app.seals.rules import Sealed
    from tests.bank import Bank

ResultT = TypeVar("ResultT")

_epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# More than a kept node stands for.
_many = 300
_reasons = (None, "记错了", 'said "no"\n', "a\u2028b")


class Log(NamedTuple):
    """A community's log, as its rows and checkpoints are: what each leaf stands for, and what was sealed."""

    community: int
    leaves: list[bytes]
    sealed: list[Sealed]


async def _open(bank: Bank) -> int:
    """Open a community with accounts beside those that it has."""
    await bank.open_community()
    accounts = [(address, *kind) for address, kind in ACCOUNTS.items() if not address.startswith("community/")]
    async with bank.database.write(bank.number) as session:
        await ledger.open_accounts(session, [NewAccount(bank.number, *account) for account in accounts])
    return bank.number


async def _post(database: Database, chance: Random, community: int, number: int) -> None:
    """Post so many transactions, and take one back."""

    def entry() -> Entry:
        points, other = chance.randint(1, 10**6), chance.choice((POINTS, FRIEND))
        evidence = chance.choice((None, chance.randbytes(20)))
        kinds = chance.choice(("deposit", "gift")), chance.choice(("service-records/1", "transfers/2"))
        movements = ((other, points), (ISSUED, -points))
        return Entry(
            community, kinds[0], movements, kinds[1], "1-desk", reason=chance.choice(_reasons), evidence=evidence
        )

    async with database.write(community) as session:
        posted = await ledger.post(session, [entry() for _ in range(number)])
    last = posted[-1]
    kept("an entry that holds is posted", holds=isinstance(last, ledger.Posted), found=last)
    if isinstance(last, ledger.Posted):
        async with database.write(community) as session:
            await ledger.reverse(session, community, [last.transaction_id], reason="记错了", posted_by="1-desk")


async def _bound(session: Session, community: int) -> list[bytes]:
    """Write what each transaction is bound to be, by the description of the canonical encoding."""
    t, p, a = ledger_transactions.c, ledger_postings.c, ledger_accounts.c
    moved: dict[int, list[list[Any]]] = defaultdict(list)
    joined = ledger_postings.join(
        ledger_accounts, (a.community_id == p.community_id) & (a.account_number == p.account_number)
    )
    lines = sa.select(p.transaction_number, a.address, a.unit, p.amount, p.version, p.balance_after)
    for row in await session.execute(lines.select_from(joined).where(p.community_id == community)):
        moved[row[0]].append(list(row[1:]))
    rows = sa.select(ledger_transactions).where(t.community_id == community).order_by(t.transaction_number)
    encoded = []
    for row in await session.execute(rows):
        words = row.reason
        members = {
            "community": community,
            "number": row.transaction_number,
            "kind": row.kind,
            "reference": row.reference,
            "posted_at": (row.posted_at - _epoch) // dt.timedelta(microseconds=1),
            "posted_by": row.posted_by,
            "reverses": row.reverses,
            "reason": words and hmac.new(row.salt, words.encode(), hashlib.sha256).hexdigest(),
            "evidence": row.evidence and row.evidence.hex(),
            "postings": sorted(moved[row.transaction_number]),
            "version": 1,
        }
        encoded.append(json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        same("a leaf", row.leaf, hashlib.sha256(b"\x00" + encoded[-1]).digest())
    return encoded


async def _log(database: Database, community: int) -> Log:
    """Read a log: its newest checkpoint is over all that was posted, and each is signed and over what it says."""
    async with database.read(community) as session:
        await session.read_whole_tables()
        leaves = await _bound(session, community)
        sealed = await store.checkpoints_between(session, community, 1, None)
    same("how many transactions are sealed", sealed[-1].tree_size if sealed else 0, len(leaves))
    for one in sealed:
        same("the size that a checkpoint tells", one.checkpoint.tree_size, one.tree_size)
        same(f"the root over {one.tree_size} leaves", one.checkpoint.root, tree_hash(leaves[: one.tree_size]))
        _is_signed(database, community, one.note)
    return Log(community, leaves, sealed)


def _is_signed(database: Database, community: int, note: str) -> None:
    """See that a note is signed, and that no other text would be."""
    keys = offline.read_keys([str(database.signer.key_of(community))])
    kept("a checkpoint is signed", holds=_holds(note, keys), found=note)
    first, _, rest = note.partition("\n")
    size, _, rest = rest.partition("\n")
    kept("nothing else is signed", holds=not _holds(f"{first}\n{int(size) + 1}\n{rest}", keys), found=note)


def _holds(text: str, keys: offline.Keys) -> bool:
    return all(one.holds for one in offline.check(text, keys))


async def _whole(work: Awaitable[ResultT]) -> ResultT:
    """Let seals be made or proofs given; what a tree is made of has to be there."""
    try:
        return await in_time("sealing or proving", work)
    except (LookupError, InconsistentError, Refused) as error:
        message = f"a tree lacks what it is made of: {error!r}"
        raise ViolationError(message) from error


async def _prove(database: Database, chance: Random, log: Log) -> None:
    """Have transactions proved, as is defined; what was spoilt proves nothing."""
    keys, size = offline.read_keys([str(database.signer.key_of(log.community))]), len(log.leaves)
    for number in {1, size, *chance.choices(range(1, size + 1), k=3)}:
        async with database.read(log.community) as session:
            text = await _whole(proofs.prove_transaction(session, log.community, number))
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        same("what a proof says of its leaf", base64.b64decode(lines[1].removeprefix("extra ")), log.leaves[number - 1])
        path = [base64.b64decode(line) for line in lines[3:]]
        same("the hashes of a proof", path, audit_path(number - 1, log.leaves))
        kept("a proof holds", holds=_holds(text, keys), found=text)
        for wrong in spoilt(path, chance):
            changed = [*lines[:3], *(base64.b64encode(one).decode() for one in wrong)]
            kept("a spoilt proof does not hold", holds=not _holds("\n".join([*changed, "", note]), keys), found=wrong)
        other = base64.b64encode(log.leaves[number - 1] + b" ").decode()
        changed = [lines[0], f"extra {other}", *lines[2:]]
        kept("another leaf is not proved", holds=not _holds("\n".join([*changed, "", note]), keys), found=number)


async def _prove_consistency(database: Database, chance: Random, log: Log) -> None:
    """Have it proved that a later tree begins with an earlier one; with another root it does not."""
    for earlier in chance.sample(log.sealed, min(3, len(log.sealed))):
        old, new = earlier.tree_size, len(log.leaves)
        async with database.read(log.community) as session:
            found = await _whole(proofs.prove_consistency(session, log.community, old, None))
        same("the hashes of a consistency", found.proof, sub_proof(old, log.leaves, whole=True))
        roots = [one.checkpoint.root for one in (found.earlier, found.later)]
        kept("a tree goes on", holds=is_consistent(old, new, found.proof, roots[0], roots[1]))
        for wrong in ([chance.randbytes(32), roots[1]], [roots[0], chance.randbytes(32)]):
            kept("another tree does not", holds=not is_consistent(old, new, found.proof, wrong[0], wrong[1]))


async def _city(database: Database, logs: Sequence[Log]) -> None:
    """See that the city's log has the communities' checkpoints, and is over what it says."""
    async with database.read(CITY) as session:
        last = await store.latest(session, CITY)
        leaves = await store.load_leaves(session, CITY, 1, last.tree_size if last else 0)
    kept("the city's log is sealed", holds=last is not None)
    if last is not None:
        size = last.tree_size
        same("the size of the city's log", size, len(leaves))
        texts = [read_note(one.note).text.encode() for log in logs for one in log.sealed]
        known = {hashlib.sha256(b"\x00" + text).digest(): text for text in texts}
        kept("the city's leaves are checkpoints", holds=known.keys() >= set(leaves), found=leaves)
        same("the root of the city's log", last.checkpoint.root, tree_hash([known[leaf] for leaf in leaves]))
        newest = {read_note(log.sealed[-1].note).text.encode() for log in logs}
        kept("the city has the newest checkpoints", holds=newest <= {known[leaf] for leaf in leaves}, found=newest)
        _is_signed(database, CITY, last.note)


async def _round(plan: Plan, bank: Bank, logs: list[Log], sizes: Sequence[int]) -> None:
    """Post so many and seal, in turns, now and then by a sealer that has just begun; then look at all of it."""
    database, community = bank.database, await _open(bank)
    sealer = Sealer(database)
    for number in plan.random.sample(sizes, len(sizes)):
        await _post(database, plan.random, community, number)
        sealer = plan.random.choice((sealer, Sealer(database)))
        await _whole(sealer.seal_due())
        plan.count("transactions sealed", number + 1)
    log = await _log(database, community)
    await _prove(database, plan.random, log)
    await _prove_consistency(database, plan.random, log)
    logs.append(log)


async def _world(plan: Plan) -> None:
    async with counters(plan.engine) as (counting, _):
        bank, logs = counting.bank, list[Log]()
        for _ in rounds(plan):
            for sizes in ((1, 2), (1, plan.random.randint(3, 40), _many)):
                await _round(plan, bank, logs, sizes)
                bank.clock.move(minutes=2)
                await _whole(Sealer(bank.database).seal_city())
                await _city(bank.database, logs)
            plan.count("logs", 2)


def run(plan: Plan) -> None:
    """Post, seal and prove."""
    in_worlds(plan, _world)


PART = Part("seals", BOTH, run, targets={"transactions sealed": 100_000}, core_seconds=2, smoke_seconds=3)
