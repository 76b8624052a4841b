"""The command line: the same services as the API, for those who run the bank."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  Typer reads it
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.access.service import NewClient, create_clients
from app.backups import backup, erasures_cli
from app.checks import cosign, text_in, verify, witness_key
from app.communities.service import find_community, list_communities
from app.console import AWAY, fail, on_database, read_settings, remark, say
from app.demo.service import DemoKeeper, NotTheDemosError
from app.hours.risks import lowest
from app.hours.sampling import draw_records
from app.http.openapi_yaml import as_yaml
from app.http.operations import CITY_ADMIN
from app.imports.paper import UnreadablePaperError
from app.imports.service import Report, import_folder
from app.kernel.database import AUDITOR_ROLE
from app.kernel.distribution import NotDistributableError, StepRefusedError, steps
from app.kernel.distribution import distribute as distribute_database
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.keys import SigningKeyError, pem_of
from app.kernel.log import log_warnings_alone
from app.kernel.migrating import UnknownRevisionError
from app.kernel.migrating import migrate as migrate_database
from app.kernel.notes import NoteError
from app.kernel.paging import Paging
from app.main import MissingSecretError, describing_app, ledger_signer
from app.progress import progress
from app.reports.service import audit_community
from app.seals.audit import audit_city
from app.seals.kept import Kept, contradictions, read_kept
from app.serving import cli, serve_with
from app.settings import PREFIX, documented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.hours.risks import Drawn
    from app.kernel.database import Database
    from app.ledger import Discrepancy

cli.add_typer(erasures_cli, name="erasures")


@cli.command()
def migrate(revision: Annotated[str, typer.Argument(help="revision to go to")] = "head") -> None:
    """Bring the database to a revision and print it."""
    settings = read_settings()
    try:
        say(migrate_database(settings, revision) or "base")
    except Unavailable:
        fail(AWAY, 1)
    except UnknownRevisionError as error:
        fail(f"{error}.")


@cli.command()
def distribute(
    *, apply: Annotated[bool, typer.Option("--apply", help="run them, each printed as it is done")] = False
) -> None:
    """Print the statements that spread a migrated PostgreSQL over nodes by community, with Citus."""
    if not apply:
        say("\n".join(f"{step.statement};" for step in steps()))
        return
    settings = read_settings()
    try:
        for step in distribute_database(settings):
            say(f"{step.statement};")
            sys.stdout.flush()
    except Unavailable:
        fail(AWAY, 1)
    except NotDistributableError as error:
        fail(str(error))
    except StepRefusedError as error:
        fail(f"{error}\nWhat was done before holds; run this again when that is put right.", 1)
    say("-- Done. Set LOVEBANK_DATABASE_DISTRIBUTED=true for every process from now on.")


@cli.command()
def bootstrap(name: Annotated[str, typer.Option(help="what the client is")]) -> None:
    """Create a client of the city and print it with its secret, this once."""

    async def create(database: Database) -> dict[str, Any]:
        async with database.write(CITY) as session:
            (client,) = await create_clients(session, [NewClient(CITY, name, CITY_ADMIN)])
        return {"client_id": client.client_id, "client_secret": client.client_secret}

    say(json.dumps(on_database(create)))


@cli.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="folder with a community's paper trail", file_okay=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="answer as if, and store nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="CSV file for the rows that were refused")] = None,
) -> None:
    """Import a community's paper trail and print how its rows ended and what the community holds."""

    async def run(database: Database) -> Report:
        with progress() as step:
            return await import_folder(database, folder, dry_run=dry_run, progress=step)

    try:
        result: Report = on_database(run)
    except UnreadablePaperError as error:
        fail(str(error))
    if report is not None:
        _write_refused(report, result)
    counts = {name: dict(sorted(getattr(result, name).items())) for name in _kinds}
    say(json.dumps({**counts, **(asdict(result.totals) if result.totals else {})}, ensure_ascii=False, indent=1))


_kinds = ("volunteers", "service_records", "redemptions")


def _write_refused(path: Path, result: Report) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "code", "reason"])
        writer.writerows([row.file, row.line, row.code, row.reason] for row in result.refused)


@cli.command()
def audit(
    community: Annotated[str | None, typer.Option(help="code of one community")] = None,
    *,
    sample: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="draw so many service records for call-backs instead")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed draws the same records again")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="a checkpoint that somebody kept, of a community or the city; repeatable")
    ] = None,
) -> None:
    """Recompute everything from the postings; print what disagrees as JSON lines, and exit with 1 if anything does.

    With --sample and --seed it audits nothing: it draws service records to call volunteers about, and says why.
    """
    if (sample is None) != (seed is None):
        fail("--sample and --seed go together: who repeats a draw has to know its seed.")

    async def run(database: Database) -> int:
        audited = await _audited(database, community)
        if sample is not None and seed is not None:
            for line in await _sampled(database, audited, seed=seed, size=sample):
                say(json.dumps(line))
            return 0
        kept = [_kept(database, path, [CITY, *(number for number, _ in audited)]) for path in against or ()]
        if database.role == AUDITOR_ROLE:
            remark("Auditors may not read answers that are kept to be given again: their receipts are left out.")
        found = 0
        for number, code in audited:
            async with database.read(number) as session:
                found += _tell(code, await audit_community(session, number))
        if community is None:
            async with database.read(CITY, *(number for number, _ in audited)) as session:
                found += _tell(None, await audit_city(session))
        codes: dict[int, str | None] = {CITY: None, **dict(audited)}
        for number, states in (pair for one in kept for pair in one.items()):
            async with database.read(number) as session:
                found += _tell(codes[number], await contradictions(session, number, states))
        return found

    raise typer.Exit(1 if on_database(run) else 0)


def _kept(database: Database, path: Path, communities: Sequence[int]) -> Kept:
    try:
        return read_kept(text_in(path), database.signer, communities)
    except NoteError as error:
        fail(f"{path} is no checkpoint to audit against: {error}.")


def _tell(community: str | None, found: Sequence[Discrepancy]) -> int:
    for one in found:
        say(json.dumps({"community": community, **asdict(one), "cause": one.cause}, ensure_ascii=False))
    return len(found)


async def _audited(database: Database, code: str | None) -> Sequence[tuple[int, str]]:
    """The numbers and codes of all communities, or of the one that has this code."""
    async with database.read() as session:
        if code is None:
            return [(one.number, one.code) for one in await list_communities(session, CITY, Paging())]
        found = await find_community(session, code)
    if found is None:
        fail(f"There is no community with the code {code}.")
    return [(found.number, found.code)]


async def _sampled(
    database: Database, audited: Sequence[tuple[int, str]], *, seed: int, size: int
) -> list[dict[str, Any]]:
    """One draw over all these communities, in its order: ids and reasons, nothing of a person."""
    drawn: list[Drawn] = []
    for number, _ in audited:
        async with database.read(number) as session:
            drawn = lowest([*drawn, *await draw_records(session, number, seed=seed, size=size)], size)
    return [
        {
            "community": one.community.code,
            "service_record_id": str(one.record.id),
            "volunteer_id": str(one.record.volunteer_id),
            "service_date": one.record.service_date.isoformat(),
            "minutes": one.record.minutes,
            "recorded_by": one.record.recorded_by,
            "verified_by": one.record.verified_by,
            "weight": one.weight,
            "reasons": [{"code": reason.code, "meaning": reason.meaning} for reason in one.reasons],
        }
        for one in drawn
    ]


cli.command()(backup)


@cli.command()
def ledger_key() -> None:
    """Print the public key that checks receipts, proofs and checkpoints, as PEM."""
    try:
        key = ledger_signer(read_settings()).public
    except (MissingSecretError, SigningKeyError) as error:
        fail(str(error))
    say(pem_of(Ed25519PublicKey.from_public_bytes(key)).rstrip())


cli.command()(verify)
cli.command()(witness_key)
cli.command()(cosign)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document as YAML."""
    sys.stdout.write(as_yaml(describing_app()))


@cli.command()
def settings() -> None:
    """Print every setting with its default and meaning."""
    say(f"Every setting {PREFIX}X can come from a file that {PREFIX}X_FILE names.\n")
    for name, default, meaning in documented():
        say(f"{name}={default}\n    {meaning}")


@cli.command(hidden=True)
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    *,
    fresh: Annotated[bool, typer.Option("--fresh")] = False,
) -> None:
    """Load the demo's data once, print its addresses and credentials, and serve it."""
    address = f"http://127.0.0.1:{port}"
    settings = read_settings()
    if "issuer" not in settings.model_fields_set:
        settings = read_settings(issuer=address)
    keeper = DemoKeeper(settings)
    if fresh:
        keeper.remove()
    if keeper.is_loaded:
        keeper.migrate()
    else:
        try:
            keeper.prepare()
        except NotTheDemosError as error:
            fail(f"{error}: move it away, or let --fresh delete it.")
        log_warnings_alone()
        with progress() as step:
            on_database(lambda database: keeper.load(database, step))
    say(f"API {address}/v1\nReference {address}/docs\nCredentials {keeper.credentials_path}")
    say(keeper.credentials_path.read_text(encoding="utf-8").rstrip())
    sys.stdout.flush()
    serve_with(settings, "127.0.0.1", port, 1)


__all__ = ["cli"]
