"""Makes the app: settings, database, keys, routes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from functools import partial
from typing import TYPE_CHECKING, cast

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import worker
from app.access import api as access
from app.access.guard import Admitted, Guard
from app.access.pins import Pins
from app.access.tokens import Tokens
from app.activities import api as activities
from app.activities import series_api as series
from app.activities import shifts_api as shifts
from app.attendance import api as attendance
from app.attendance import me_api as own_attendance
from app.beneficiaries import api as beneficiaries
from app.clinics import api as clinics
from app.communities import api as communities
from app.communities.service import Directory
from app.disputes import api as disputes
from app.feeds import api as feeds
from app.feeds import me_api as own_feeds
from app.feeds import public_api as calendars
from app.goods import api as goods
from app.hours import api as hours
from app.hours import catalogue_api as earning
from app.hours import me_api as own_hours
from app.hours.schemas import ReferencedServiceRecord
from app.http import health
from app.http.context import Context
from app.http.express import Express, is_hot
from app.http.failures import install_failures
from app.http.limits import Limits
from app.http.middleware import Observed
from app.http.openapi import describe, install_openapi
from app.kernel.clock import Clock, SystemClock
from app.kernel.coalesce import Commands, Reads
from app.kernel.database import Database
from app.kernel.keys import SigningKeyError, new_signing_key, private_key, public_keys
from app.kernel.notes import Signer
from app.kernel.vault import Vault, development_secret, new_pepper
from app.needs import api as needs
from app.qualifications import api as qualifications
from app.redemptions import api as redemptions
from app.redemptions import me_api as own_redemptions
from app.reports import api as reports
from app.reports import figures_api as figures
from app.seals import api as seals
from app.seals import me_api as own_receipts
from app.seals import public_api as public_log
from app.seals import witnesses_api as witnesses
from app.signups import api as signups
from app.signups import draws_api as draws
from app.signups import me_api as own_signups
from app.signups import standing_api as standing
from app.stalls import api as sites
from app.teams import api as teams
from app.teams import members_api as team_members
from app.transfers import api as transfers
from app.vendors import api as vendors
from app.visits import api as visits
from app.visits import me_api as own_visits
from app.visits import plans_api as visit_plans
from app.visits.service import visits_in_vain
from app.volunteers import api as volunteers
from app.volunteers import cards_api as cards
from app.volunteers import households_api as households
from app.volunteers import me_api as own

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.types import Receive, Scope, Send

    from app.settings import Settings

ROUTERS = (
    access.public,
    access.router,
    communities.router,
    volunteers.router,
    cards.router,
    households.router,
    own.router,
    beneficiaries.router,
    qualifications.router,
    vendors.router,
    needs.router,
    needs.own,
    sites.router,
    earning.router,
    hours.router,
    own_hours.router,
    goods.router,
    redemptions.router,
    own_redemptions.router,
    transfers.router,
    activities.router,
    series.router,
    shifts.router,
    signups.router,
    draws.router,
    standing.router,
    own_signups.router,
    attendance.router,
    own_attendance.router,
    disputes.router,
    disputes.own,
    clinics.router,
    feeds.router,
    own_feeds.router,
    calendars.router,
    visit_plans.router,
    visits.router,
    own_visits.router,
    team_members.router,
    teams.city,
    teams.router,
    reports.router,
    figures.router,
    seals.router,
    witnesses.router,
    witnesses.city,
    public_log.router,
    public_log.page,
    own_receipts.router,
    health.router,
)


class Service(FastAPI):
    """The app with the express way before all that the framework does for each request."""

    express: Express

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        await self.express(scope, receive, send)


# More than a batch of records makes, all of which are in use until it is answered.
_objects_before_a_round = 50_000


class MissingSecretError(Exception):
    """Production needs a setting that was not given."""


def open_database(settings: Settings, clock: Clock | None = None, *, hurried: bool = True) -> Database:
    """Make the database of a service with these settings; nothing connects yet.

    Not `hurried`, it takes its time: for commands, where nobody's request waits. Raises `MissingSecretError` or
    `SigningKeyError`.
    """
    return Database(
        settings,
        clock=clock or SystemClock(),
        vault=_vault(settings),
        signer=ledger_signer(settings),
        hurried=hurried,
    )


def check_secrets(settings: Settings) -> None:
    """Raise `MissingSecretError` or `SigningKeyError` if no service can be made with these settings' secrets."""
    _vault(settings)
    _tokens(settings)
    ledger_signer(settings)


def _vault(settings: Settings) -> Vault:
    return Vault(_secret(settings, "secret_pepper", ".lovebank-pepper", new_pepper()))


def ledger_signer(settings: Settings) -> Signer:
    """Make what signs receipts and checkpoints. Raises `MissingSecretError` or `SigningKeyError`."""
    if settings.environment == "production" and "ledger_origin" not in settings.model_fields_set:
        message = "Production needs LOVEBANK_LEDGER_ORIGIN: what is signed under one name stays with it."
        raise MissingSecretError(message)
    key = _secret(settings, "ledger_key", ".lovebank-ledger-key.pem", new_signing_key())
    old = settings.ledger_keys_old.get_secret_value() if settings.ledger_keys_old else ""
    return Signer(private_key(key, "LEDGER_KEY"), settings.ledger_origin, old=public_keys(old, "LEDGER_KEYS_OLD"))


def _tokens(settings: Settings) -> Tokens:
    signing_key = _secret(settings, "signing_key", ".lovebank-signing-key.pem", new_signing_key())
    old_keys = settings.signing_keys_old.get_secret_value() if settings.signing_keys_old else ""
    return Tokens(signing_key, old_keys=old_keys, issuer=settings.issuer, seconds=settings.token_seconds)


def _secret(settings: Settings, name: str, file: str, make: str) -> str:
    given = getattr(settings, name)
    if given is not None:
        return str(given.get_secret_value())
    if settings.environment == "production":
        message = f"Production needs LOVEBANK_{name.upper()} (or LOVEBANK_{name.upper()}_FILE)."
        raise MissingSecretError(message)
    return development_secret(settings.keys_folder / file, make)


def create_app(settings: Settings, *, clock: Clock | None = None, with_worker: bool = False) -> FastAPI:
    """Make the app. With a worker, due jobs run inside its process. Raises what `check_secrets` does."""
    database = open_database(settings, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs = asyncio.create_task(worker.run_forever(database, settings)) if with_worker else None
        try:
            yield
        finally:
            if jobs is not None:
                jobs.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await jobs
            await database.close()

    app = _service(describing_app(lifespan))
    length_max = settings.queue_length_max
    queues = Commands(database, length_max=length_max), Reads(database, length_max=length_max)
    app.state.context = Context(settings, database, *queues)
    app.state.tokens = _tokens(settings)
    app.state.pins = Pins(database.vault)
    app.state.directory = Directory(database)
    app.state.effects = worker.EFFECTS
    app.state.person_effects = worker.PERSON_EFFECTS
    app.state.objections = worker.OBJECTIONS
    app.state.contradictions = (visits_in_vain,)
    app.state.guard = Guard(app.state.tokens, app.state.directory)
    app.add_middleware(Limits, per_minute=settings.rate_limit)
    app.add_middleware(Observed, body_bytes_max=settings.body_bytes_max)
    hot = [route for router in ROUTERS for route in router.routes if is_hot(route)]
    app.express = Express(
        app,
        partial(FastAPI.__call__, app),
        context=app.state.context,
        routes=hot,
        guard=app.state.guard,
        admitted=Admitted,
    )
    return app


def _service(app: FastAPI) -> Service:
    # Who makes apps with their documents offline makes no app of another class.
    app.__class__ = Service
    return cast("Service", app)


def for_good(app: FastAPI) -> FastAPI:
    """Leave what lives as long as the process out of the garbage collector's rounds, which hold every request up.

    And have it go round seldom: what requests leave behind goes by itself, all but what refers to itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_objects_before_a_round, 20, 50)
    return app


def describing_app(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None) -> FastAPI:
    """Make the app with its routes and its document alone: it describes itself without a database or a secret."""
    app: FastAPI = FastAPIOffline(lifespan=lifespan, **describe())
    # As they are: routers that are included have all their routes made once more, at the first request to any of them.
    app.router.routes += [route for router in ROUTERS for route in router.routes]
    install_failures(app)
    install_openapi(app, [ReferencedServiceRecord])
    return app


__all__ = [
    "MissingSecretError",
    "SigningKeyError",
    "check_secrets",
    "create_app",
    "describing_app",
    "for_good",
    "open_database",
]
