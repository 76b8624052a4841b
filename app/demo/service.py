"""Loads the demo: the import, then four eyes, a few records to verify, a few goods to hand over, and credentials."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.access.service import NewClient, create_clients
from app.communities.rules import FOUR_EYES
from app.communities.service import SettingsChange, change_settings, find_community
from app.goods.service import find_goods
from app.hours.rules import ServiceFacts
from app.hours.service import NewServiceRecord, record_services
from app.http.operations import CITY_ADMIN, COMMUNITY_ROLES, FRONT_DESK
from app.imports.paper import read_community
from app.imports.service import import_folder
from app.kernel.editing import WHICHEVER
from app.kernel.heads import CITY
from app.kernel.migrating import migrate
from app.kernel.paging import Paging
from app.redemptions.rules import Redemption
from app.redemptions.service import NewRedemption, Wanted, reserve_unreferenced
from app.volunteers.service import list_volunteers

if TYPE_CHECKING:
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


class DemoKeeper:
    """The demo's files: a SQLite database and, written last, the credentials beside it."""

    def __init__(self, settings: Settings) -> None:
        """Find the files; nothing is read or made yet."""
        self.data = _data
        self._settings = settings
        self._database = Path(settings.database_url.removeprefix("sqlite:///"))
        self.credentials_path = self._database.with_name("credentials.json")

    @property
    def is_loaded(self) -> bool:
        """Whether loading came to its end."""
        return self.credentials_path.exists()

    def remove(self) -> None:
        """Delete the demo's database and credentials."""
        for path in (
            self.credentials_path,
            *(self._database.with_name(self._database.name + end) for end in ("", "-wal", "-shm")),
        ):
            path.unlink(missing_ok=True)

    def migrate(self) -> None:
        """Bring the demo's database to the newest revision."""
        self._database.parent.mkdir(parents=True, exist_ok=True)
        migrate(self._settings)

    async def load(self, database: Database, progress: Callable[[Step], None]) -> None:
        """Import the paper trail (again, if that was cut off), then leave something to do."""
        await import_folder(database, self.data, demo=True, progress=progress)
        async with database.read() as session:
            community = await find_community(session, read_community(self.data).code)
        if community is None:
            raise AssertionError
        async with database.write(CITY) as session:
            city = await create_clients(session, [NewClient(CITY, "演示 city_admin", CITY_ADMIN)])
        async with database.write(community.number) as session:
            new = [NewClient(community.number, f"演示 {role}", role) for role in COMMUNITY_ROLES]
            clients = await create_clients(session, new)
            await change_settings(session, [SettingsChange(community.number, {"verification": FOUR_EYES}, WHICHEVER)])
        desk = next(client.client_id for client in clients if client.role == FRONT_DESK)
        async with database.write(community.number) as session:
            await _leave_work(session, community, desk)
        self._write_credentials([*city, *clients])

    def _write_credentials(self, clients: list[Client]) -> None:
        """Write one JSON line a client into a file that only its owner may read; whole, or not at all."""
        lines = [
            json.dumps({"role": client.role, "client_id": client.client_id, "client_secret": client.client_secret})
            for client in clients
        ]
        unfinished = self.credentials_path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
        unfinished.replace(self.credentials_path)


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
