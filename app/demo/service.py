"""Loads the demo: a year walked by the clock, the paper trail, some work left to do, and credentials."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.access.service import NewClient, create_clients
from app.communities.rules import FOUR_EYES, RECORDER
from app.communities.service import SettingsChange, change_settings
from app.demo import city, clinic, stalls, visits
from app.demo.stage import Stage, walk
from app.demo.walking import walking
from app.goods.service import find_goods
from app.hours.rules import ServiceFacts
from app.hours.service import NewServiceRecord, record_services
from app.http.operations import CITY_ADMIN, COMMUNITY_ROLES, FRONT_DESK
from app.imports.paper import read_community
from app.imports.service import import_folder, open_community
from app.kernel.editing import WHICHEVER
from app.kernel.heads import CITY
from app.kernel.migrating import migrate
from app.kernel.paging import Paging
from app.redemptions.rules import Redemption
from app.redemptions.service import NewRedemption, Wanted, reserve_unreferenced
from app.volunteers.service import list_volunteers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from app.access.service import Client
    from app.communities.rules import Community
    from app.imports.service import Step
    from app.kernel.database import Database, Session
    from app.settings import Settings

_data = Path(__file__).parent / "qilianlu-west"
_pending_records = 4
_open_redemptions = 3
_article = "G08"


class NotTheDemosError(Exception):
    """There is a database already of which nothing says that it is the demo's."""

    def __init__(self, path: Path) -> None:
        """Name its file."""
        super().__init__(f"{path} is there already, and nothing says that it is the demo's")


class DemoKeeper:
    """The demo's files: a SQLite database and, written last, the credentials beside it."""

    def __init__(self, settings: Settings) -> None:
        """Find the files; nothing is read or made yet."""
        self.data = _data
        self._settings = settings
        self._database = Path(settings.database_url.removeprefix("sqlite:///"))
        self.credentials_path = self._database.with_name("credentials.json")
        # It stands from before the database is made until loading has come to its end.
        self._unfinished = self.credentials_path.with_suffix(".new")

    @property
    def is_loaded(self) -> bool:
        """Whether loading came to its end."""
        return self.credentials_path.exists()

    def remove(self) -> None:
        """Delete the demo's database and credentials."""
        if self.credentials_path.exists():
            # As long as a part is there, it is known to be the demo's.
            self.credentials_path.rename(self._unfinished)
        for end in ("", "-wal", "-shm"):
            self._database.with_name(self._database.name + end).unlink(missing_ok=True)
        self._unfinished.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the demo's database, without what is left of a loading that broke off. Raises `NotTheDemosError`.

        A walk through a year cannot be taken up in its middle.
        """
        if self._unfinished.exists():
            self.remove()
        if self._database.exists():
            raise NotTheDemosError(self._database)
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.touch(mode=0o600)
        self.migrate()

    def migrate(self) -> None:
        """Bring the demo's database to the newest revision."""
        migrate(self._settings)

    async def load(self, database: Database, progress: Callable[[Step], None]) -> None:
        """Walk through a year by the clock, import the paper trail, then leave something to do."""
        stage, clients = await self._walk(database, progress)
        number = stage.number
        async with database.write(number) as session:
            await change_settings(session, [SettingsChange(number, {"verification": RECORDER}, WHICHEVER)])
        await import_folder(database, self.data, demo=True, progress=progress)
        async with database.write(number) as session:
            await change_settings(session, [SettingsChange(number, {"verification": FOUR_EYES}, WHICHEVER)])
            await _leave_work(session, stage.community, stage.clients[FRONT_DESK])
        self._write_credentials(clients)

    async def _walk(self, database: Database, progress: Callable[[Step], None]) -> tuple[Stage, list[Client]]:
        """Open the community a year ago and let that year pass."""
        paper = read_community(self.data).model_copy(update={"verification": FOUR_EYES})
        today = database.clock.now(CITY).astimezone(ZoneInfo(paper.timezone)).date()
        with walking(database, _midnight(visits.begins_on(today), paper.timezone)) as clock:
            async with database.write(CITY) as session:
                community = await open_community(session, paper, demo=True)
                clients = await create_clients(session, [NewClient(CITY, "演示 city_admin", CITY_ADMIN)])
            async with database.write(community.number) as session:
                new = [NewClient(community.number, f"演示 {role}", role) for role in COMMUNITY_ROLES]
                clients += await create_clients(session, new)
            ids = {client.role: client.client_id for client in clients}
            stage = Stage(database, self._settings, community, today, ids)
            scenes = [scene for part in (visits, city, clinic, stalls) for scene in part.scenes(stage)]
            await walk(clock, scenes, progress)
        return stage, clients

    def _write_credentials(self, clients: list[Client]) -> None:
        """Write one JSON line a client into a file that only its owner may read; whole, or not at all."""
        lines = [
            json.dumps({"role": client.role, "client_id": client.client_id, "client_secret": client.client_secret})
            for client in clients
        ]
        self._unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._unfinished.replace(self.credentials_path)


def _midnight(day: dt.date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


async def _leave_work(session: Session, community: Community, desk: str) -> None:
    """Leave records of yesterday morning to verify, and reserved goods to hand over."""
    volunteers = await list_volunteers(session, community.number, Paging())
    yesterday = community.local_date(session.now(community.number)) - timedelta(days=1)
    start = datetime.combine(yesterday, time(9), ZoneInfo(community.timezone))
    facts = ServiceFacts(
        service_kind="home_visit",
        activity_name="入户探访",
        place="祁连家园",
        content="量血压、打扫卫生、陪老人聊天",
        organiser=f"{community.name}居委会",
        started_at=start,
        ended_at=start + timedelta(minutes=90),
        minutes=90,
        recorder_name="张文静",
    )
    await record_services(
        session, [NewServiceRecord(community.number, one.id, facts, desk) for one in volunteers[:_pending_records]]
    )
    article = (await find_goods(session, community.number, [_article]))[_article]
    reserved = 0
    for volunteer in volunteers:
        order = NewRedemption(community.number, volunteer.id, (Wanted(article.id, 1),), desk)
        (outcome,) = await reserve_unreferenced(session, [order])
        reserved += isinstance(outcome, Redemption)
        if reserved == _open_redemptions:
            return
