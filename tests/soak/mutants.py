"""Bugs to plant, one at a time: each is a text of the service, what stands there instead, and who has to notice.

The service has no switch for any of them. A text that is not found exactly once is an error, so the list cannot rot.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.soak.parts import POSTGRESQL, SQLITE


class Mutant(NamedTuple):
    """A bug: where it is planted, and the part that has to catch it on which engine."""

    name: str
    file: str
    text: str
    bug: str
    part: str
    engine: str = SQLITE


_database, _session = "app/kernel/database.py", "app/kernel/session.py"
_keys, _submission = "app/kernel/idempotency.py", "app/kernel/submission.py"
_ledger, _posting, _ledger_store = "app/ledger/rules.py", "app/ledger/service.py", "app/ledger/store.py"
_heads, _jobs, _queue = "app/kernel/heads.py", "app/kernel/jobs.py", "app/kernel/coalesce.py"
_leaves, _merkle, _sealing = "app/ledger/leaves.py", "app/kernel/merkle.py", "app/seals/service.py"
_first_migration, _last_checks = "migrations/versions/0001_ledger.py", "migrations/versions/0015_references.py"

_durability = (
    Mutant(
        "SQLite at synchronous=NORMAL",
        "app/kernel/engines.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
        "power-losses",
    ),
    Mutant("SQLite without foreign keys", "app/kernel/engines.py", '"foreign_keys=ON"', '"foreign_keys=OFF"', "ledger"),
    Mutant(
        "a plain BEGIN",
        _database,
        '_Opening("BEGIN IMMEDIATE", "BEGIN", "BEGIN")',
        '_Opening("BEGIN", "BEGIN", "BEGIN")',
        "races",
    ),
    Mutant(
        "no unchanging picture for readers",
        _database,
        '"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"',
        '"BEGIN READ ONLY"',
        "races",
        POSTGRESQL,
    ),
    Mutant(
        "an answer before its commit",
        _database,
        "                    return await work(session)\n            except Unavailable as error:\n",
        "                    done = await work(session)\n                return done\n"
        "            except Unavailable as error:\n"
        '                if "done" in locals():\n                    return done\n',
        "idempotency",
    ),
    Mutant(
        "a commit before the last writes",
        _session,
        '        await self.flush("COMMIT")\n',
        '        await self._channel.rows("COMMIT")\n        await self.flush()\n',
        "races",
        POSTGRESQL,
    ),
    Mutant(
        "a retry without the key",
        _submission,
        "        if submission.keyed not in known:\n",
        "        if True:\n",
        "idempotency",
    ),
)

_idempotency = (
    Mutant(
        "no key",
        _keys,
        "for item, answer in answers if answer.kept]\n    if not",
        "for item, answer in ()]\n    if not",
        "idempotency",
    ),
    Mutant(
        "the hash of a request ignored", _keys, "if row.request_hash != item.request_hash:", "if False:", "idempotency"
    ),
    Mutant(
        "refusals not kept",
        "app/kernel/errors.py",
        "    kept: ClassVar[bool] = True\n",
        "    kept: ClassVar[bool] = False\n",
        "idempotency",
    ),
    Mutant(
        "a secret in a repeat",
        _keys,
        "        body = answer.again().body\n",
        "        body = answer.body\n",
        "idempotency",
    ),
    Mutant(
        "a key that all callers share",
        "app/http/commands.py",
        "Keyed(submitter.community, submitter.caller_id, ",
        'Keyed(submitter.community, "anyone", ',
        "idempotency",
    ),
    Mutant(
        "a repeat that is not told from the first",
        _submission,
        "Outcome(earlier, replayed=earlier.kept)",
        "Outcome(earlier, replayed=False)",
        "idempotency",
    ),
)

_ledgers = (
    Mutant(
        "a dropped floor",
        _ledger,
        "if balance * sheet.bound < 0 or abs(balance) > BALANCE_MAX:",
        "if abs(balance) > BALANCE_MAX:",
        "ledger",
    ),
    Mutant(
        "a dropped floor in the database",
        _first_migration,
        '"balance * bound >= 0"',
        '"balance * bound >= -1000000"',
        "ledger",
    ),
    Mutant("units that do not sum to zero", _ledger, "        if total:\n", "        if False:\n", "ledger"),
    Mutant(
        "units that do not sum to zero in SQLite",
        _first_migration,
        "GROUP BY a.unit HAVING sum(p.amount) <> 0",
        "GROUP BY a.unit HAVING sum(p.amount) IS NULL",
        "ledger",
    ),
    Mutant(
        "units that do not sum to zero in PostgreSQL",
        _last_checks,
        "HAVING sum(i.amount) <> 0 OR a.unit IS NULL LIMIT 1;",
        "HAVING a.unit IS NULL LIMIT 1;",
        "ledger",
        POSTGRESQL,
    ),
    Mutant("a version not raised", _ledger, "        sheet.version = change.version\n", "", "ledger"),
    Mutant(
        "a forgotten balance",
        _ledger_store,
        'update_rows(session, ledger_balances, ("community_id", "account_number"), balances)',
        'update_rows(session, ledger_balances, ("community_id", "account_number"), [])',
        "ledger",
    ),
    Mutant(
        "a skipped number",
        _heads,
        "        self.transaction_number += 1\n",
        "        self.transaction_number += 2\n",
        "ledger",
    ),
    Mutant(
        "a time from the clock alone",
        _session,
        "now = max(self._clock.now(community), moment_of(last_at))",
        "now = self._clock.now(community)",
        "ledger",
    ),
    Mutant(
        "a second reversal",
        _posting,
        "    done = await store.reversed_already(session, community, transaction_ids)\n",
        "    done: set[int] = set()\n",
        "ledger",
    ),
    Mutant(
        "a reversal with its sign", _posting, "(line.account, -line.amount)", "(line.account, line.amount)", "ledger"
    ),
    Mutant(
        "a debt that is not settled first",
        _ledger,
        "min(amount, -of_debt.balance) if amount > 0 else",
        "0 if amount > 0 else",
        "ledger",
    ),
    Mutant("half of what is linked", _ledger, "            sheet.balance -= change.amount\n", "", "ledger"),
    Mutant(
        "rows that can be changed",
        "migrations/guards.py",
        '    _abort(table, "no_update", "UPDATE")\n',
        "",
        "ledger",
    ),
    Mutant(
        "rows that can be changed in PostgreSQL",
        "migrations/guards.py",
        '_refuse(table, "append_only", "UPDATE OR DELETE OR TRUNCATE")',
        '_refuse(table, "append_only", "TRUNCATE")',
        "ledger",
        POSTGRESQL,
    ),
    Mutant(
        "rows of every community",
        _session,
        'first(f"SET LOCAL ROLE {self.role}", f"SET LOCAL lovebank',
        'first(f"SET LOCAL lovebank',
        "ledger",
        POSTGRESQL,
    ),
    Mutant(
        "an audit that finds nothing",
        "app/ledger/audit.py",
        "statement.limit(_shown_max)",
        "statement.limit(0)",
        "ledger",
    ),
    Mutant(
        "an audit that trusts balances",
        "app/ledger/audit.py",
        '        "balance-stale": (_stale_balances(), "account"),\n',
        "",
        "ledger",
    ),
)

_locking = (
    Mutant("heads that are not locked", _session, 'else " FOR UPDATE"', 'else ""', "races", POSTGRESQL),
    Mutant(
        "unsorted locks",
        _session,
        "self._channel.first(*self._locks(sorted(set(communities))))",
        "self._channel.first(*[self._locks([one])[0] for one in dict.fromkeys(communities)])",
        "races",
        POSTGRESQL,
    ),
)

_of_queues = (
    Mutant(
        "a queue without end",
        _queue,
        "        if self.is_full:\n            raise Unavailable\n        one",
        "        one",
        "queues",
    ),
    Mutant(
        "a 503 without Retry-After",
        "app/http/express.py",
        'problem_response("unavailable", headers={"Retry-After": str(error.retry_after_s)})',
        'problem_response("unavailable")',
        "queues",
    ),
    Mutant("a lost half", _queue, "await self._run(members[half:])", "await self._run(members[half + 1 :])", "queues"),
    Mutant(
        "a job without a lease",
        _jobs,
        ".values(claimable_at=now + lease, lease_token",
        ".values(claimable_at=now, lease_token",
        "queues",
    ),
    Mutant("a job done twice", _jobs, "    if removed.rowcount != len(done):\n", "    if False:\n", "queues"),
)

_of_seals = (
    Mutant(
        "a leaf without its amount",
        _leaves,
        '"postings": sorted(leaf.postings),',
        '"postings": sorted((*one[:2], *one[3:]) for one in leaf.postings),',
        "seals",
    ),
    Mutant("a leaf without its author", _leaves, '"posted_by": leaf.posted_by,', '"posted_by": "",', "seals"),
    Mutant(
        "words that can be guessed",
        _leaves,
        'hmac.digest(salt, words, "sha256")',
        'hmac.digest(b"", words, "sha256")',
        "seals",
    ),
    Mutant("leaves that pass for nodes", _merkle, 'b"\\x00" + data', 'b"\\x01" + data', "seals"),
    Mutant(
        "a skipped seal",
        _posting,
        "    if first:\n        await mark_unsealed(session, first)\n",
        "    if len(first) > 1:\n        await mark_unsealed(session, first)\n",
        "seals",
    ),
    Mutant(
        "a leaf that is not sealed",
        _sealing,
        "for leaf in leaves for node in frontier.append(leaf)]",
        "for leaf in leaves[-200:] for node in frontier.append(leaf)]",
        "seals",
    ),
    Mutant(
        "a tree that forgets",
        _sealing,
        "    await store.insert_seals(session, nodes, notes)\n",
        "    await store.insert_seals(session, [], notes)\n",
        "seals",
    ),
    Mutant(
        "a proof that always verifies",
        _merkle,
        "    return last == 0 and current == root\n",
        "    return True\n",
        "seals",
    ),
    Mutant(
        "a tree that goes on from any other",
        _merkle,
        "    return last == 0 and of_old == old_root and of_new == new_root\n",
        "    return True\n",
        "seals",
    ),
    Mutant(
        "a signature that nobody checks",
        "app/kernel/notes.py",
        "        if not _is_right(key, note.text, signature.value[_id_bytes:]):\n",
        "        if False:\n",
        "seals",
    ),
    Mutant(
        "a city that forgets a community",
        _sealing,
        "        if (community, of) not in present\n",
        "        if (community, of) not in present and of > 10\n",
        "seals",
    ),
)

OF_THE_CORE = (*_durability, *_idempotency, *_ledgers, *_locking, *_of_queues, *_of_seals)
"""Bugs below the features: what must not be lost, doubled, changed or waited for in a circle."""
