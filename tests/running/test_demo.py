"""The demo as someone sees it who has just started it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.demo.service import DemoKeeper
from app.kernel.keys import new_signing_key
from app.settings import Settings
from tests.conftest import run_cli
from tests.running.test_serve import started

if TYPE_CHECKING:
    import httpx


def _login(client: httpx.Client, line: str) -> tuple[str, dict[str, str]]:
    credentials = json.loads(line)
    role = credentials.pop("role")
    answer = client.post("/oauth2/token", data={"grant_type": "client_credentials", **credentials})
    return role, {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


def _first(client: httpx.Client, base: str, role: dict[str, str], path: str) -> Any:
    return client.get(f"{base}/{path}", headers=role).raise_for_status().json()["items"][0]


def test_the_demo_leaves_every_role_something_to_do_and_keeps_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo' / 'lovebank.db'}"
    keeper = DemoKeeper(Settings(database_url=url))
    with started(tmp_path, "demo", LOVEBANK_DATABASE_URL=url) as (process, client):
        lines = keeper.credentials_path.read_text(encoding="utf-8").splitlines()
        assert stat.S_IMODE(keeper.credentials_path.stat().st_mode) == 0o600
        assert set(lines) <= set((tmp_path / "service.log").read_text(encoding="utf-8").splitlines())
        roles = dict(_login(client, line) for line in lines)
        assert list(roles) == ["city_admin", "manager", "front_desk", "verifier", "auditor", "integrator"]
        community = _first(client, "/v1", roles["city_admin"], "communities")
        assert community["verification"] == "four_eyes"
        base = f"/v1/communities/{community['id']}"

        record = _first(client, base, roles["verifier"], "service-records?status=pending")
        decision = client.post(
            f"{base}/service-records/{record['id']}/verification",
            json={"decision": "approve"},
            headers={**roles["verifier"], "Idempotency-Key": "demo-1"},
        )
        assert decision.json()["award"]["points"] == 18
        redemption = _first(client, base, roles["front_desk"], "redemptions?status=reserved")
        collection = client.post(
            f"{base}/redemptions/{redemption['id']}/collection",
            json={"pickup_code": redemption["pickup_code"]},
            headers={**roles["front_desk"], "Idempotency-Key": "demo-2"},
        )
        assert collection.json()["status"] == "collected"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0

    with started(tmp_path, "demo", LOVEBANK_DATABASE_URL=url) as (_, client):
        # The port is not the usual one, and the metadata names it all the same.
        metadata = client.get("/.well-known/oauth-authorization-server").json()
        assert metadata["issuer"] == str(client.base_url).rstrip("/")
        assert keeper.credentials_path.read_text(encoding="utf-8").splitlines() == lines
        # Tokens name the address that gave them, and the port is another one: ask again.
        roles = dict(_login(client, line) for line in lines)
        again = client.get(f"{base}/redemptions/{redemption['id']}", headers=roles["front_desk"]).json()
        assert again["status"] == "collected"
    environment = {"LOVEBANK_DATABASE_URL": url, "LOVEBANK_ENVIRONMENT": "production"}
    secrets = {
        "LOVEBANK_SECRET_PEPPER": "p" * 40,
        "LOVEBANK_SIGNING_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_ORIGIN": "bank.example",
    }
    refused = run_cli("serve", **environment, **secrets)
    assert refused.returncode == 2
    assert "demo data" in refused.stderr


def test_the_readme_journey_works_when_pasted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo' / 'lovebank.db'}"
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    journey = text.partition("## A journey with curl")[2].partition("```bash\n")[2].partition("```")[0]
    issuer = "https://bank.example"
    with started(tmp_path, "demo", LOVEBANK_DATABASE_URL=url, LOVEBANK_ISSUER=issuer) as (_, client):
        assert client.get("/.well-known/oauth-authorization-server").json()["issuer"] == issuer
        credentials = DemoKeeper(Settings(database_url=url)).credentials_path
        answer = subprocess.run(
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", journey],
            env={**os.environ, "BASE": str(client.base_url), "CREDENTIALS": str(credentials)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    award, status, balance, statement, trial_balance = answer.stdout.splitlines()
    assert "'points': 18" in award
    assert status == "collected"
    assert json.loads(balance)["points"] == 10
    assert [line["amount"] for line in json.loads(statement)["items"]] == [-8, 90, 18]
    assert {unit["sum"] for unit in json.loads(trial_balance)["units"]} == {0}
