"""The demo as someone sees it who has just started it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.communities.service import list_communities
from app.console import with_database
from app.demo.service import DemoKeeper, NotTheDemosError
from app.kernel.heads import CITY
from app.kernel.keys import new_signing_key
from app.kernel.paging import Paging
from app.settings import Settings
from tests.conftest import run_cli
from tests.running.test_serve import started

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from app.communities.rules import Community
    from app.imports.service import Step
    from app.kernel.database import Database
    from tests.running.conftest import Demo

pytestmark = pytest.mark.xdist_group("demo")


def test_the_demo_leaves_every_role_something_to_do_and_keeps_it(demo: Demo) -> None:
    lines = demo.credentials
    assert stat.S_IMODE(demo.keeper.credentials_path.stat().st_mode) == 0o600
    assert set(lines) <= set(demo.log.splitlines())
    assert "answers forgotten" not in demo.log.partition("API ")[0]
    with demo.served() as served:
        assert list(served.roles) == ["city_admin", "manager", "front_desk", "verifier", "auditor", "integrator"]
        assert served.get("city_admin", served.base)["verification"] == "four_eyes"
        record = served.items("verifier", f"{served.base}/service-records", status="pending")[0]
        decision = served.client.post(
            f"{served.base}/service-records/{record['id']}/verification",
            json={"decision": "approve"},
            headers={**served.roles["verifier"], "Idempotency-Key": "demo-1"},
        )
        assert decision.json()["award"]["points"] == 18
        redemption = served.items("front_desk", f"{served.base}/redemptions", status="reserved")[0]
        collection = served.client.post(
            f"{served.base}/redemptions/{redemption['id']}/collection",
            json={"pickup_code": redemption["pickup_code"]},
            headers={**served.roles["front_desk"], "Idempotency-Key": "demo-2"},
        )
        assert collection.json()["status"] == "collected"

    with demo.served() as served:
        # The port is not the usual one, and the metadata names it all the same.
        metadata = served.client.get("/.well-known/oauth-authorization-server").json()
        assert metadata["issuer"] == str(served.client.base_url).rstrip("/")
        assert demo.credentials == lines
        again = served.get("front_desk", f"{served.base}/redemptions/{redemption['id']}")
        assert again["status"] == "collected"
        assert len(served.items("city_admin", "/v1/communities")) == 31


def test_production_does_not_start_on_the_demo(demo: Demo) -> None:
    secrets = {
        "LOVEBANK_SECRET_PEPPER": "p" * 40,
        "LOVEBANK_SIGNING_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_ORIGIN": "bank.example",
    }
    refused = run_cli("serve", LOVEBANK_DATABASE_URL=demo.url, LOVEBANK_ENVIRONMENT="production", **secrets)
    assert refused.returncode == 2
    assert "demo data" in refused.stderr


def test_the_readme_journey_works_when_pasted(demo: Demo) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    journey = text.partition("## A journey with curl")[2].partition("```bash\n")[2].partition("```")[0]
    issuer = "https://bank.example"
    with started(demo.folder, "demo", LOVEBANK_DATABASE_URL=demo.url, LOVEBANK_ISSUER=issuer) as (_, client):
        assert client.get("/.well-known/oauth-authorization-server").json()["issuer"] == issuer
        answer = subprocess.run(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", journey],
            env={
                **os.environ,
                "BASE": str(client.base_url),
                "CREDENTIALS": str(demo.keeper.credentials_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    award, status, balance, statement, trial_balance, visit = answer.stdout.splitlines()
    assert "'points': 18" in award
    assert status == "collected"
    assert json.loads(balance)["points"] == 10
    assert [line["amount"] for line in json.loads(statement)["items"]] == [-8, 90, 18]
    assert {unit["sum"] for unit in json.loads(trial_balance)["units"]} == {0}
    assert json.loads(visit)["status"] == "done"


class PowerCutError(Exception):
    """Breaks a loading off."""


def _on(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(with_database(settings, work))


def test_loading_that_broke_off_begins_again_from_nothing(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'lovebank.db'}")
    keeper = DemoKeeper(settings)

    async def communities(database: Database) -> list[Community]:
        async with database.read() as session:
            return await list_communities(session, CITY, Paging())

    def cut_power(_: Step) -> None:
        raise PowerCutError

    keeper.prepare()
    with pytest.raises(PowerCutError):
        _on(settings, lambda database: keeper.load(database, cut_power))
    assert len(_on(settings, communities)) == 1
    assert not keeper.is_loaded
    keeper.prepare()
    assert _on(settings, communities) == []


def test_a_database_that_is_not_known_to_be_the_demos_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lovebank.db"
    path.write_bytes(b"somebody's")
    with pytest.raises(NotTheDemosError, match="nothing says that it is the demo's"):
        DemoKeeper(Settings(database_url=f"sqlite:///{path}")).prepare()
    refused = run_cli("demo", LOVEBANK_DATABASE_URL=f"sqlite:///{path}")
    assert refused.returncode == 2
    assert "--fresh" in refused.stderr
    assert path.read_bytes() == b"somebody's"
