"""The one who migrates need not be a superuser, on a cluster where nothing of the service was ever made."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from pydantic import SecretStr

from app.communities.service import NewCommunity, create_communities
from app.kernel.database import APP_ROLE
from app.kernel.heads import CITY
from app.kernel.migrating import migrate
from app.main import open_database
from app.settings import Settings
from tests.postgres import running

_pepper = SecretStr("a pepper for tests that is long enough")


async def test_a_user_who_may_make_roles_migrates_a_new_cluster_and_serves_on_it() -> None:
    with running() as server:
        with psycopg.connect(server, autocommit=True) as superuser:
            superuser.execute("CREATE ROLE founder LOGIN CREATEROLE")
            superuser.execute("CREATE DATABASE bank OWNER founder")
        url = server.replace("postgres@/postgres", "founder@/bank")
        settings = Settings(database_url=url, secret_pepper=_pepper)
        migrate(settings)
        database = open_database(settings)
        async with database.write(CITY) as session:
            new = NewCommunity("xining", "祁连路西社区", "城北区", "朝阳街道")
            (community,) = await create_communities(session, [new])
            row = await session.execute(sa.text("SELECT current_user"))
            assert row.scalar() == APP_ROLE
        assert getattr(community, "number", None) == 1
        await database.close()
