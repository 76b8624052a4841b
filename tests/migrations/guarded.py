"""The list of what the databases enforce by themselves, by table; `test_guards.py` holds both engines to it."""

from __future__ import annotations

APPEND_ONLY = (
    "checkpoints",
    "city_leaves",
    "corrections",
    "departments",
    "dispute_steps",
    "earning_rules",
    "erasures",
    "events",
    "footfall_calendars",
    "head_counts",
    "households",
    "idempotency_keys",
    "ledger_accounts",
    "ledger_postings",
    "ledger_transactions",
    "lots",
    "openings",
    "person_erasures",
    "positions",
    "redemption_lines",
    "redemption_returns",
    "seen_references",
    "service_kinds",
    "sites",
    "stock_movements",
    "teams",
    "transfers",
    "tree_nodes",
    "verifications",
    "visit_outcomes",
    "witness_signatures",
    "witnesses",
)
FROZEN = {
    "activities": (
        "community_id, activity_id, number, kind, counts_as_volunteering, service_kind, beneficiary_id, partner_id,"
        " site_id, created_by, created_at"
    ),
    "attendances": "community_id, signup_id",
    "audits": "community_id, audit_id, requested_by, requested_at",
    "beneficiaries": (
        "community_id, beneficiary_id, number, consent_version, consent_given_at, consent_taken_by, registered_at"
    ),
    "calendar_feeds": "community_id, feed_id, number, subject, subject_id, token_hash, created_by, created_at",
    "cards": "community_id, card_id, number, volunteer_id, card_number, pin_hash, created_at",
    "disputes": (
        "community_id, dispute_id, number, volunteer_id, service_record_id, transaction_number, reference, due_at"
    ),
    "draws": "community_id, shift_id, commitment, opened_at",
    "ledger_heads": "community_id",
    "needs": (
        "community_id, need_id, number, kind, category, place, sealed, anonymous, volunteer_id, beneficiary_id,"
        " filed_by, filed_at"
    ),
    "qualifications": (
        "community_id, qualification_id, number, volunteer_id, code, certificate, valid_from, valid_until, checked_by,"
        " checked_at"
    ),
    "partners": "community_id, partner_id, number, created_by, created_at",
    "redemptions": (
        "community_id, redemption_id, number, volunteer_id, points, pickup_code, occurred_at, occurred_on,"
        " reserved_by, reserved_at, lapses_at"
    ),
    "series": (
        "community_id, series_id, activity_id, number, rule, starts_on, starts_at_minute, minutes, created_by,"
        " created_at"
    ),
    "service_records": (
        "community_id, service_record_id, number, volunteer_id, service_kind, activity_name, place, content,"
        " organiser, recorder_name, external_ids, started_at, ended_at, service_date, minutes, late,"
        " manager_required, recorded_by, recorded_at, beneficiary_id, shift_id"
    ),
    "shifts": "community_id, shift_id, activity_id, series_id, occurs_on, number",
    "signups": ("community_id, signup_id, number, shift_id, position_id, participant_id, signed_up_by, signed_up_at"),
    "team_members": "community_id, member_id, number, department_id, joined_on, registered_by, registered_at",
    "team_memberships": "community_id, member_id, starts_on, team_id, number, set_by, set_at",
    "team_postings": "community_id, posting_id, number, team_id, posted_to, starts_on, posted_by, posted_at",
    "vendors": "community_id, vendor_id, number, registered_by, registered_at",
    "visit_escalations": (
        "community_id, escalation_id, number, beneficiary_id, first_shift_id, second_shift_id, opened_at"
    ),
    "visit_plans": (
        "community_id, plan_id, number, activity_id, position_id, series_id, beneficiary_id, created_by, created_at"
    ),
    "volunteers": "community_id, volunteer_id",
}
SETTLED = {"attendances": "submitted_at", "draws": "drawn_at", "signups": "closed_at"}
"""When a row of these has such a moment, nothing of it changes any more."""

CHECKED = {
    "idempotency_answers": "refer",
    "ledger_postings": "add_up",
    "service_records": "refer",
    "verifications": "refer",
}
OF_ALL_COMMUNITIES = {"communities", "alembic_version"}
OF_THE_CITY = {"city_leaves", "departments", "team_members", "teams", "team_memberships", "team_postings"}
"""Tables that have rows of community 0 alone."""

RIGHTS = {
    "activities": ("SELECT, INSERT, UPDATE (cancellation_hours, content, ended_at, name, organiser, place, revision)"),
    "alembic_version": "SELECT",
    "attendances": (
        "SELECT, INSERT, UPDATE (break_minutes, checked_in_at, checked_out_at, ends_at, method, minutes, outcome,"
        " recorded_at, recorded_by, service_date, service_record_id, starts_at, submitted_at, submitted_by)"
    ),
    "audits": (
        "SELECT, INSERT, UPDATE (discrepancies, discrepancies_count, finished_at, last_transaction, started_at, status)"
    ),
    "beneficiaries": (
        "SELECT, INSERT, UPDATE (ended_at, ended_by, erased_at, identity_hash, living_alone, needs, revision, sealed,"
        " status)"
    ),
    "calendar_feeds": "SELECT, INSERT, UPDATE (revoked_at, revoked_by)",
    "cards": "SELECT, INSERT, UPDATE (revoked_at)",
    "checkpoints": "SELECT, INSERT",
    "city_leaves": "SELECT, INSERT",
    "clients": "SELECT, INSERT, UPDATE (revoked_at)",
    "communities": "SELECT, INSERT, UPDATE",
    "corrections": "SELECT, INSERT",
    "departments": "SELECT, INSERT",
    "dispute_steps": "SELECT, INSERT",
    "disputes": "SELECT, INSERT, UPDATE (status)",
    "draws": "SELECT, INSERT, UPDATE (drawn_at, drawn_by, draws_at, revealed)",
    "due_work": "SELECT, INSERT, UPDATE",
    "earning_rules": "SELECT, INSERT",
    "erasures": "SELECT, INSERT",
    "events": "SELECT, INSERT",
    "footfall_calendars": "SELECT, INSERT",
    "goods": "SELECT, INSERT, UPDATE",
    "head_counts": "SELECT, INSERT",
    "household_members": "SELECT, INSERT, UPDATE, DELETE",
    "households": "SELECT, INSERT",
    "idempotency_answers": "SELECT, INSERT, DELETE",
    "idempotency_keys": "SELECT, INSERT",
    "jobs": "SELECT, INSERT, UPDATE, DELETE",
    "ledger_accounts": "SELECT, INSERT",
    "ledger_balances": "SELECT, INSERT, UPDATE",
    "ledger_heads": "SELECT, INSERT, UPDATE (account_number, event_number, last_at, sealed_number, transaction_number)",
    "ledger_postings": "SELECT, INSERT",
    "ledger_transactions": "SELECT, INSERT",
    "needs": (
        "SELECT, INSERT, UPDATE (activity_id, channel, decided_at, decided_by, reason, status, told_at, told_by)"
    ),
    "lots": "SELECT, INSERT",
    "openings": "SELECT, INSERT",
    "partners": "SELECT, INSERT, UPDATE (kind, name, revision, uscc)",
    "person_erasures": "SELECT, INSERT",
    "person_keys": "SELECT, INSERT, DELETE",
    "pin_attempts": "SELECT, INSERT, UPDATE, DELETE",
    "positions": "SELECT, INSERT",
    "qualifications": "SELECT, INSERT, UPDATE (reason, revoked_at, revoked_by, revoked_on)",
    "redemption_lines": "SELECT, INSERT",
    "redemption_returns": "SELECT, INSERT",
    "redemptions": "SELECT, INSERT, UPDATE (closed_at, closed_by, reason, status)",
    "seen_references": "SELECT, INSERT",
    "series": "SELECT, INSERT, UPDATE (ends_on, made_until)",
    "service_kinds": "SELECT, INSERT",
    "service_records": "SELECT, INSERT, UPDATE (status)",
    "shifts": "SELECT, INSERT, UPDATE (ends_at, place, reason, revision, starts_at, status)",
    "signups": "SELECT, INSERT, UPDATE (closed_at, closed_by, queue, reason, seat, status)",
    "sites": "SELECT, INSERT",
    "standing_signups": "SELECT, INSERT, DELETE",
    "stock_movements": "SELECT, INSERT",
    "team_members": "SELECT, INSERT, UPDATE (erased_at, left_on, sealed)",
    "team_memberships": "SELECT, INSERT, UPDATE (ends_on)",
    "team_postings": "SELECT, INSERT, UPDATE (ends_on)",
    "teams": "SELECT, INSERT",
    "transfers": "SELECT, INSERT",
    "tree_nodes": "SELECT, INSERT",
    "vendors": "SELECT, INSERT, UPDATE (ended_at, ended_by, erased_at, goods_sold, phone_hash, sealed, status)",
    "verifications": "SELECT, INSERT",
    "visit_escalations": "SELECT, INSERT, UPDATE (closed_at, closed_by, closed_through, sealed, status)",
    "visit_outcomes": "SELECT, INSERT",
    "visit_plans": "SELECT, INSERT, UPDATE (ended_at, ended_by, sealed)",
    "volunteers": (
        "SELECT, INSERT, UPDATE (consent_given_at, consent_on, consent_taken_by, consent_version, erased_at, estate,"
        " external_ids, id_number_hash, name_hash, number, phone_hash, phone_tail_hash, political_status,"
        " registered_at, revision, sealed, skills)"
    ),
    "witness_signatures": "SELECT, INSERT",
    "witnesses": "SELECT, INSERT",
}

ALL_COLUMNS = "all"
AUDITED = {
    **dict.fromkeys(RIGHTS, ALL_COLUMNS),
    "beneficiaries": (
        "beneficiary_id, community_id, consent_given_at, consent_taken_by, consent_version, ended_at, ended_by,"
        " erased_at, living_alone, needs, number, registered_at, revision, status"
    ),
    "calendar_feeds": (
        "community_id, created_at, created_by, feed_id, number, revoked_at, revoked_by, subject, subject_id"
    ),
    "cards": "card_id, community_id, created_at, number, revoked_at, volunteer_id",
    "clients": "client_id, community_id, created_at, name, number, revoked_at, role",
    "idempotency_answers": "",
    "idempotency_keys": "caller, community_id, created_at, key",
    "needs": (
        "activity_id, anonymous, beneficiary_id, category, channel, community_id, decided_at, decided_by, filed_at,"
        " filed_by, kind, need_id, number, place, status, told_at, told_by, volunteer_id"
    ),
    "person_keys": "",
    "pin_attempts": "card_id, community_id, failed_at, failures, succeeded_at, tried_at",
    "qualifications": (
        "checked_at, checked_by, code, community_id, number, qualification_id, revoked_at, revoked_by, revoked_on,"
        " valid_from, valid_until, volunteer_id"
    ),
    "redemptions": (
        "closed_at, closed_by, community_id, lapses_at, number, occurred_at, occurred_on, points, reason,"
        " redemption_id, reserved_at, reserved_by, status, volunteer_id"
    ),
    "seen_references": "community_id, reference, resource, resource_id, seen_at, who",
    "team_members": (
        "community_id, department_id, erased_at, joined_on, left_on, member_id, number, registered_at, registered_by"
    ),
    "vendors": "community_id, ended_at, ended_by, erased_at, number, registered_at, registered_by, status, vendor_id",
    "visit_escalations": (
        "beneficiary_id, closed_at, closed_by, closed_through, community_id, escalation_id, first_shift_id, number,"
        " opened_at, second_shift_id, status"
    ),
    "visit_plans": (
        "activity_id, beneficiary_id, community_id, created_at, created_by, ended_at, ended_by, number, plan_id,"
        " position_id, series_id"
    ),
    "volunteers": (
        "community_id, consent_given_at, consent_on, consent_taken_by, consent_version, erased_at, estate,"
        " external_ids, number, political_status, registered_at, revision, skills, volunteer_id"
    ),
}
"""What auditors may read. A new table has to be thought about: secrets and personal data are not for them."""
