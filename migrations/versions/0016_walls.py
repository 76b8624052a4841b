"""Row level security binds the owner of the tables too, and auditors get a role that reads and nothing else.

A second wall behind the code: whoever forgets to name a community sees none, whichever user's connection it is, and
only superusers pass. Migrations name all communities before they begin (`app.kernel.migrating`).

Auditors see rows, never what opens something or says more of a person than the API shows an auditor: keys of personal
data and what they seal, hashes of secrets, PINs and personal data, card numbers, pickup codes, and answers that are
kept to be given again.
"""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_hidden = ("idempotency_answers", "person_keys")
_shown_in_part = {
    "cards": "community_id, card_id, number, volunteer_id, created_at, revoked_at",
    "clients": "community_id, client_id, number, name, role, created_at, revoked_at",
    "idempotency_keys": "community_id, caller, key, created_at",
    "pin_attempts": "community_id, card_id, failures, failed_at, succeeded_at, tried_at",
    "redemptions": (
        "community_id, redemption_id, number, volunteer_id, points, occurred_at, occurred_on, reserved_by, reserved_at,"
        " lapses_at, status, closed_at, closed_by, reason"
    ),
    "seen_references": "community_id, resource, reference, who, resource_id, seen_at",
    "volunteers": (
        "community_id, volunteer_id, number, estate, political_status, skills, external_ids, consent_version,"
        " consent_given_at, consent_on, consent_taken_by, registered_at, revision, erased_at"
    ),
}
_shown_as_a_whole = (
    "audits",
    "corrections",
    "dispute_steps",
    "disputes",
    "earning_rules",
    "erasures",
    "events",
    "goods",
    "household_members",
    "households",
    "jobs",
    "ledger_accounts",
    "ledger_balances",
    "ledger_heads",
    "ledger_postings",
    "ledger_transactions",
    "redemption_lines",
    "redemption_returns",
    "service_kinds",
    "service_records",
    "stock_movements",
    "transfers",
    "verifications",
)
_of_all_communities = ("alembic_version", "communities", "due_work")
_audited = {**dict.fromkeys(_shown_as_a_whole), **_shown_in_part}


def upgrade() -> None:
    """Force the walls of every tenant's table, and show auditors what they may see."""
    if not guards.on_postgresql():
        return
    guards.create_auditor_role()
    for table in (*_audited, *_hidden):
        guards.force_walls(table)
    for table, columns in _audited.items():
        guards.show_auditors(table, columns)
    for table in _of_all_communities:
        guards.show_auditors(table, of_tenant=False)


def downgrade() -> None:
    """Let the owner pass again and show auditors nothing. Their role stays: it belongs to the cluster."""
    if not guards.on_postgresql():
        return
    for table in (*_audited, *_of_all_communities):
        # Rights on columns go with those on the table.
        op.execute(f"REVOKE SELECT ON {table} FROM {guards.AUDITOR_ROLE}")  # noqa: S608  names alone
    for table in _audited:
        op.execute(f"DROP POLICY IF EXISTS {table}_auditor ON {table}")
    for table in (*_audited, *_hidden):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
