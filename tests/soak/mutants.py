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
_hours, _recording = "app/hours/rules.py", "app/hours/service.py"
_counter, _redeeming = "app/redemptions/rules.py", "app/redemptions/service.py"
_heads, _jobs, _queue = "app/kernel/heads.py", "app/kernel/jobs.py", "app/kernel/coalesce.py"
_guard, _roles, _access = "app/access/guard.py", "app/http/operations.py", "app/access/service.py"
_first_migration, _last_checks = "migrations/versions/0001_ledger.py", "migrations/versions/0015_references.py"

_durability = (
    Mutant(
        "SQLite at synchronous=NORMAL",
        "app/kernel/engines.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
        "ledger",
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

_of_hours = (
    Mutant(
        "services that overlap", _hours, "            if start < other.ended_at:\n", "            if False:\n", "rules"
    ),
    Mutant("services that may not touch", _hours, "if start < other.ended_at:", "if start <= other.ended_at:", "rules"),
    Mutant("a day without its cap", _hours, "max(of_day - counted_before, 0)", "of_day", "rules"),
    Mutant(
        "a cap that clips minutes",
        _hours,
        "minutes, points = record.facts.minutes, record.award.points if record.award else 0",
        "minutes, points = record.award.minutes_counted, record.award.points",
        "rules",
    ),
    Mutant(
        "points rounded up",
        _hours,
        "rule.points_per_hour * counted // 60",
        "-(-rule.points_per_hour * counted // 60)",
        "rules",
    ),
    Mutant("two eyes", _recording, "    if record.recorded_by == item.verifier:\n", "    if False:\n", "rules"),
    Mutant("a day of any length", _hours, "> DAY_MINUTES_FREE", "> 24 * DAY_MINUTES_FREE", "rules"),
    Mutant("eight hours that are too many", _hours, "> DAY_MINUTES_FREE", ">= DAY_MINUTES_FREE", "rules"),
    Mutant(
        "a long day without a manager",
        _recording,
        "    if record.manager_required and not item.manager:\n",
        "    if False:\n",
        "rules",
    ),
    Mutant(
        "a service in the future",
        _recording,
        "    if item.facts.started_at > grounds.now[item.community]:\n",
        "    if False:\n",
        "rules",
    ),
    Mutant("a service before consent", _recording, "consent_on and service_date < consent_on:", "False:", "rules"),
    Mutant("nothing is late", _hours, "return working > LATE_AFTER_WORKING_DAYS", "return working > 10**6", "rules"),
    Mutant(
        "the oldest rule",
        _hours,
        "found.effective_from < rule.effective_from",
        "found.effective_from > rule.effective_from",
        "rules",
    ),
    Mutant(
        "a reference recorded again",
        "app/kernel/deciding.py",
        "    if row.reference is None or (known := seen.get((row.community, row.reference))) is None:\n",
        "    if row.reference is None or (known := None) is None:\n",
        "rules",
    ),
)

_of_the_counter = (
    Mutant(
        "no limit",
        _counter,
        "if limit is not None and taken + quantity > limit:",
        "if limit is not None and quantity > limit:",
        "rules",
    ),
    Mutant(
        "a household without a limit",
        _counter,
        "(HOUSEHOLD, article.limit_per_household, counter.household)",
        "(HOUSEHOLD, article.limit_per_household, (counter.taken,))",
        "rules",
    ),
    Mutant(
        "any pickup code",
        _redeeming,
        "item.status == COLLECTED and not hmac.",
        "item.status == CANCELLED and not hmac.",
        "rules",
    ),
    Mutant(
        "stock that does not move",
        _counter,
        "        movements.append((goods_rules.shelf_account(line.goods_id), -line.quantity))\n"
        "        movements.append((goods_rules.reserved_account(line.goods_id), line.quantity))\n",
        "        pass\n",
        "rules",
    ),
    Mutant(
        "what is closed closed again",
        _redeeming,
        "if redemption.status != RESERVED or (status == LAPSED)",
        "if (status == LAPSED)",
        "rules",
    ),
    Mutant(
        "a hold that never ends",
        _counter,
        "LAPSED if self.status == RESERVED and self.lapses_at <= moment else self.status",
        "self.status",
        "rules",
    ),
    Mutant(
        "a return of what was not collected",
        _redeeming,
        "        elif redemption.status != COLLECTED:\n",
        "        elif False:\n",
        "rules",
    ),
    Mutant(
        "a gift of what is not there",
        "app/transfers/rules.py",
        "if purses[giver].points < points:",
        "if False:",
        "rules",
    ),
    Mutant(
        "a gift that overlooks a debt",
        "app/transfers/service.py",
        "debts=() if receiver is None else debts_of(receiver)",
        "debts=()",
        "rules",
    ),
)

_of_access = (
    Mutant(
        "a forgotten role",
        _roles,
        "VERIFIERS = (CITY_ADMIN, MANAGER, VERIFIER)",
        "VERIFIERS = (CITY_ADMIN, MANAGER)",
        "rights",
    ),
    Mutant(
        "a role too many",
        _roles,
        "DESK = (CITY_ADMIN, MANAGER, FRONT_DESK)",
        "DESK = (CITY_ADMIN, MANAGER, FRONT_DESK, VERIFIER)",
        "rights",
    ),
    Mutant(
        "roles that nobody asks for", _guard, "        if caller.role not in roles:\n", "        if False:\n", "rights"
    ),
    Mutant(
        "another community's door",
        _guard,
        "self._directory.known(community_id) if caller.role == CITY_ADMIN else None",
        "self._directory.known(community_id)",
        "rights",
    ),
    Mutant("a client that was withdrawn", _access, "    return set(callers) - live\n", "    return set()\n", "rights"),
    Mutant(
        "a PIN that can be guessed",
        "app/access/rules.py",
        "return None if failures >= allowance.failures else",
        "return",
        "rights",
    ),
    Mutant("a token without end", "app/access/tokens.py", 'exp={"essential": True}, iat=', "iat=", "rights"),
    Mutant(
        "another volunteer's redemption",
        _redeeming,
        "if redemption is None or volunteer_id not in {None, redemption.volunteer_id}:",
        "if redemption is None:",
        "rights",
    ),
    Mutant("names for everyone", _roles, "NAMELESS = (AUDITOR, INTEGRATOR)", "NAMELESS = ()", "rights"),
)

_of_queues = (
    Mutant(
        "a queue without end", _queue, "        if self._length >= self._length_max:\n", "        if False:\n", "queues"
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

MUTANTS = (
    *_durability,
    *_idempotency,
    *_ledgers,
    *_locking,
    *_of_hours,
    *_of_the_counter,
    *_of_access,
    *_of_queues,
)
