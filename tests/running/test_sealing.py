"""A running service seals what it posts by itself, and whoever has the public key can check that with the command."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from app.kernel.keys import new_signing_key
from tests.bank import bank_of_today, posted, record_body
from tests.conftest import run_cli
from tests.running.test_serve import started

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from app.settings import Settings

PATIENCE_SECONDS = 30.0
"""Far more than the second within which it is due: a machine may stand still for a while."""


async def furnish(settings: Settings) -> tuple[str, dict[str, str], str]:
    """A community that trusts its recorders: its path, tokens by role, and a volunteer's id."""
    async with bank_of_today(settings) as bank:
        await bank.open_community(verification="recorder")
        await bank.kind()
        volunteer = await bank.volunteer()
        return bank.desk.base, {"desk": bank.desk.token, "auditor": bank.auditor.token}, volunteer["id"]


def proof_of(client: httpx.Client, url: str, token: str) -> str:
    """The proof, once it is there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = client.get(url, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 409 or time.monotonic() > until:
            assert answer.status_code == 200, answer.text
            return answer.text
        time.sleep(0.05)


async def test_what_a_service_posts_is_receipted_sealed_and_checked_by_whoever_has_its_key(
    settings: Settings, tmp_path: Path
) -> None:
    keys = {"LOVEBANK_SIGNING_KEY": new_signing_key(), "LOVEBANK_LEDGER_KEY": new_signing_key()}
    given = settings.model_copy(
        update={name.removeprefix("LOVEBANK_").lower(): SecretStr(key) for name, key in keys.items()}
    )
    base, tokens, volunteer = await furnish(given)
    environment = {
        **keys,
        "LOVEBANK_DATABASE_URL": settings.database_url,
        "LOVEBANK_SECRET_PEPPER": settings.secret_pepper.get_secret_value() if settings.secret_pepper else "",
    }
    with started(tmp_path, "serve", **environment) as (_, client):
        headers = {"Authorization": f"Bearer {tokens['desk']}", "Idempotency-Key": "once"}
        body = record_body(volunteer, start="2026-03-01T09:00")
        record: Any = posted(client.post(f"{base}/service-records", json=body, headers=headers), 201)
        number = record["transaction_id"]
        proof = proof_of(client, f"{base}/ledger/transactions/{number}/proof", tokens["auditor"])
    key = tmp_path / "key.pem"
    key.write_text(run_cli("ledger-key", **environment).stdout)
    receipt_file, proof_file = tmp_path / "answer.json", tmp_path / "of.tlog-proof"
    receipt_file.write_bytes(orjson.dumps(record))
    proof_file.write_text(proof)
    receipted, proved = (run_cli("verify", str(file), "--key", str(key)) for file in (receipt_file, proof_file))
    assert (receipted.returncode, proved.returncode) == (0, 0), receipted.stdout + proved.stdout
    told, said = orjson.loads(receipted.stdout), orjson.loads(proved.stdout)
    assert told["transactions"] == [{"number": number, "leaf": said["leaf"]}]
    assert said["stands_for"]["reference"] == f"service-records/{record['id']}"
    assert run_cli("audit", **environment).returncode == 0


def test_the_command_says_what_is_wrong_with_a_file_or_a_key(tmp_path: Path) -> None:
    file, key = tmp_path / "file", tmp_path / "key"
    file.write_text("no note")
    key.write_text("no key")
    good = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    answer = run_cli("verify", str(file), "--key", good)
    assert (answer.returncode, orjson.loads(answer.stdout)["holds"]) == (1, False)
    assert run_cli("verify", str(file), "--key", str(key)).stderr.startswith("The key was not taken: ")
    missing = run_cli("verify", str(tmp_path / "nothing"), "--key", good)
    assert (missing.returncode, missing.stderr.endswith("(No such file or directory).\n")) == (2, True)
    piped = subprocess.run(
        [sys.executable, "-m", "app", "verify", "-", "--key", good],
        input="no note",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (piped.returncode, piped.stdout) == (1, answer.stdout)
