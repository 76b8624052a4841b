"""Bugs to plant in what the features decide: hours, the counter, and who may do what (see `tests.soak.mutants`)."""

from __future__ import annotations

from tests.soak.mutants import Mutant

_hours, _recording = "app/hours/rules.py", "app/hours/service.py"
_counter, _redeeming = "app/redemptions/rules.py", "app/redemptions/service.py"
_signups, _attendance = "app/signups/rules.py", "app/attendance/rules.py"
_guard, _roles, _access = "app/access/guard.py", "app/http/operations.py", "app/access/service.py"

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

_of_the_work = (
    Mutant("a seat given twice", _signups, "if seat not in taken), None)", "if seat), None)", "work"),
    Mutant(
        "a waitlist whose last comes first",
        _signups,
        "for waiting in list(self._waiting.get(place, ())):",
        "for waiting in reversed(list(self._waiting.get(place, ()))):",
        "work",
    ),
    Mutant(
        "moving up into two shifts at once",
        _signups,
        "if may(waiting) and not self.overlapping(*place[:2], waiting.participant_id):",
        "if may(waiting):",
        "work",
    ),
    Mutant(
        "signing up for two shifts at once",
        "app/signups/service.py",
        "    if other := grounds.roster.overlapping(*place):\n",
        "    if (other := grounds.roster.overlapping(*place)) and not other:\n",
        "work",
    ),
    Mutant("attendance submitted twice", _attendance, "    if attendance.is_submitted:\n", "    if False:\n", "work"),
    Mutant(
        "team duty that earns",
        _attendance,
        "position.participants == VOLUNTEERS and activity.counts_as_volunteering",
        "position.participants == VOLUNTEERS",
        "work",
    ),
    Mutant(
        "absence that earns", _attendance, "    came = attendance.outcome == ATTENDED\n", "    came = True\n", "work"
    ),
    Mutant(
        "breaks that count as time given",
        _attendance,
        "minutes=whole_minutes(starts_at, at) - break_minutes,",
        "minutes=whole_minutes(starts_at, at),",
        "work",
    ),
    Mutant(
        "a place's code that is good for an hour",
        _attendance,
        "CODE_SECONDS, CODE_GRACE_SECONDS = 30, 10",
        "CODE_SECONDS, CODE_GRACE_SECONDS = 3600, 10",
        "work",
    ),
    Mutant(
        "sign-ups by whoever reads",
        "app/signups/api.py",
        'roles=DESK,\n        summary="Sign a participant up for a shift"',
        'roles=READERS,\n        summary="Sign a participant up for a shift"',
        "rights",
    ),
)

_of_answers = (
    Mutant(
        "every gift goes to the pool",
        "app/transfers/service.py",
        "            to_volunteer_id=item.to_volunteer_id,\n",
        "            to_volunteer_id=None,\n",
        "clock-steps",
    ),
    Mutant(
        "the answers of a batch in another order",
        "app/kernel/submission.py",
        "zip(of_command, outcomes, strict=True)",
        "zip(of_command, [*outcomes[1:], *outcomes[:1]], strict=True)",
        "clock-steps",
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
    # Nobody finds this who only sends what may be sent.
    Mutant(
        "a refusal that finds no words",
        "app/access/errors.py",
        "{', '.join(self.roles)} may.",
        "{', '.join(self.roles[len(self.roles)])} may.",
        "fuzz-schema",
    ),
    Mutant("names for everyone", _roles, "NAMELESS = (AUDITOR, INTEGRATOR)", "NAMELESS = ()", "rights"),
)

OF_FEATURES = (*_of_hours, *_of_the_counter, *_of_the_work, *_of_answers, *_of_access)
"""Bugs in the rules of the domain, in what is answered, and in who is let through."""
