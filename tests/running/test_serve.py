"""The service as a process: starting, stopping, and what it refuses to start with."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.kernel.keys import new_signing_key
from app.kernel.revisions import expected_revision
from tests.conftest import run_cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

PEPPER = {"LOVEBANK_SECRET_PEPPER": "a pepper for tests that is long enough"}
"""What is started has it, unless it is given another."""
_start_seconds_max = 60


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def started(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run a command that serves, until it answers; kill it afterwards unless it has ended."""
    port = free_port()
    log = (folder / "service.log").open("w+", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments, "--port", str(port)],
        env={**os.environ, **PEPPER, **environment},
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            wait_until_it_answers(process, f"{client.base_url}/livez", folder / "service.log")
            yield process, client
    finally:
        process.kill()
        process.wait()
        log.close()


def wait_until_it_answers(process: subprocess.Popen[Any], url: str, log: Path | None = None) -> None:
    """Wait until a process serves an address; fail with its log when it ends or takes too long."""
    until = time.monotonic() + _start_seconds_max
    while True:
        try:
            httpx.get(url).raise_for_status()
        except httpx.TransportError:
            words = log.read_text(encoding="utf-8") if log else ""
            assert process.poll() is None, words
            assert time.monotonic() < until, words
            time.sleep(0.01)
        else:
            return


def test_a_served_bank_is_ready_and_ends_with_zero_when_asked_to(settings: Settings, tmp_path: Path) -> None:
    with started(tmp_path, "serve", LOVEBANK_DATABASE_URL=settings.database_url) as (process, client):
        assert client.get("/readyz").json()["status"] == "ok"
        assert "server" not in client.get("/livez").headers
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    lines = [json.loads(line) for line in (tmp_path / "service.log").read_text(encoding="utf-8").splitlines()]
    assert [line["route"] for line in lines if line["event"] == "request"][-2:] == ["/readyz", "/livez"]


def test_a_service_loads_nothing_before_its_first_answer_that_only_others_need(
    settings: Settings, tmp_path: Path
) -> None:
    environment = {"LOVEBANK_DATABASE_URL": settings.database_url, "PYTHONPROFILEIMPORTTIME": "1"}
    with started(tmp_path, "serve", **environment):
        lines = (tmp_path / "service.log").read_text(encoding="utf-8").splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "app.main" in loaded
    others = {"alembic", "app.cli", "app.imports.service", "pygments", "rich.console", "sqlalchemy.orm", "yaml"}
    # Of those that load themselves, what they load in turn.
    others |= {"chinese_calendar.constants", "segno.encoder"}
    if settings.on_sqlite:
        others |= {"psycopg.connection", "sqlalchemy.dialects.postgresql.base"}
    assert loaded & others == set()


def test_a_request_under_way_is_answered_before_the_service_ends(settings: Settings, tmp_path: Path) -> None:
    with started(tmp_path, "serve", LOVEBANK_DATABASE_URL=settings.database_url) as (process, client):
        body = b"grant_type=client_credentials"
        head = (
            "POST /oauth2/token HTTP/1.1\r\nHost: bank.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", client.base_url.port or 80), timeout=10) as caller:
            caller.sendall(head.encode() + body[:10])
            # Answered after what came before it, so the request's head has been read by then.
            client.get("/livez").raise_for_status()
            process.send_signal(signal.SIGTERM)
            _wait_until_nobody_listens(client)
            caller.sendall(body[10:])
            answer = b"".join(iter(lambda: caller.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 4")
        assert b"invalid_client" in answer
        assert process.wait(timeout=10) == 0


def _wait_until_nobody_listens(client: httpx.Client) -> None:
    until = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", client.base_url.port or 80), timeout=1).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_worker_ends_with_zero_when_asked_to(settings: Settings) -> None:
    environment = {**os.environ, **PEPPER, "LOVEBANK_DATABASE_URL": settings.database_url}
    command = [sys.executable, "-m", "app", "worker"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "worker started" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_service_whose_database_is_not_migrated_says_which_revision_is_missing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with started(tmp_path, "serve", LOVEBANK_DATABASE_URL=url) as (_, client):
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert expected_revision() in answer.json()["missing"]
        run_cli("migrate", LOVEBANK_DATABASE_URL=url)
        assert client.get("/readyz").status_code == 200


def test_a_service_starts_while_its_database_is_away(tmp_path: Path) -> None:
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/nowhere"
    with started(tmp_path, "serve", LOVEBANK_DATABASE_URL=url) as (_, client):
        began = time.monotonic()
        answer = client.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert time.monotonic() - began < 3


def test_production_starts_while_its_database_is_away_and_says_what_it_did_not_check(tmp_path: Path) -> None:
    environment = {
        "LOVEBANK_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{free_port()}/nowhere",
        "LOVEBANK_ENVIRONMENT": "production",
        "LOVEBANK_SIGNING_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_ORIGIN": "bank.example",
    }
    with started(tmp_path, "serve", **environment) as (_, client):
        assert client.get("/readyz").status_code == 503
    assert "not checked for demo data" in (tmp_path / "service.log").read_text(encoding="utf-8")


def test_production_starts_on_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    environment = {
        "LOVEBANK_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}",
        "LOVEBANK_ENVIRONMENT": "production",
        "LOVEBANK_SIGNING_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_KEY": new_signing_key(),
        "LOVEBANK_LEDGER_ORIGIN": "bank.example",
    }
    with started(tmp_path, "serve", **environment) as (_, client):
        assert expected_revision() in client.get("/readyz").json()["missing"]


def test_more_than_one_process_on_sqlite_is_refused_with_the_reason(tmp_path: Path) -> None:
    answer = run_cli("serve", "--workers", "2", LOVEBANK_DATABASE_URL=f"sqlite:///{tmp_path / 'bank.db'}")
    assert answer.returncode == 2
    assert "one writer" in answer.stderr


def test_production_refuses_to_start_without_its_secrets(settings: Settings) -> None:
    environment = {"LOVEBANK_DATABASE_URL": settings.database_url, "LOVEBANK_ENVIRONMENT": "production"}
    answer = run_cli("serve", **environment)
    assert answer.returncode == 2
    assert "LOVEBANK_SECRET_PEPPER" in answer.stderr
    answer = run_cli("serve", **environment, **PEPPER)
    assert answer.returncode == 2
    assert "LOVEBANK_SIGNING_KEY" in answer.stderr


@pytest.mark.parametrize("given", [{}, PEPPER])
def test_several_processes_in_production_do_not_start_without_their_secrets(given: dict[str, str]) -> None:
    """Said once, by the process that would start the others again and again."""
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/nowhere"
    environment = {"LOVEBANK_DATABASE_URL": url, "LOVEBANK_ENVIRONMENT": "production", **given}
    answer = run_cli("serve", "--workers", "2", "--port", str(free_port()), **environment)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    assert ("LOVEBANK_SIGNING_KEY" if given else "LOVEBANK_SECRET_PEPPER") in answer.stderr


def test_a_signing_key_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    environment = {"LOVEBANK_DATABASE_URL": f"sqlite:///{tmp_path / 'bank.db'}", **PEPPER}
    answer = run_cli("serve", **environment, LOVEBANK_SIGNING_KEY="a passphrase, perhaps")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "LOVEBANK_SIGNING_KEY has to be an Ed25519 private key in PEM, without a password.\n"


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("migrate",), ("audit",), ("demo",)])
def test_settings_that_do_not_hold_are_a_sentence_each(command: tuple[str, ...]) -> None:
    environment = {"LOVEBANK_SECRET_PEPPER": "supersecretshort", "LOVEBANK_TOKEN_SECONDS": "59"}
    answer = run_cli(*command, **environment)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert [line.partition(":")[0] for line in answer.stderr.splitlines()] == [
        "LOVEBANK_SECRET_PEPPER",
        "LOVEBANK_TOKEN_SECONDS",
    ]
    assert "supersecretshort" not in answer.stderr


@pytest.mark.parametrize("url", ["postgresql://postgres@127.0.0.1:1/nowhere", "sqlite:////nowhere/bank.db"])
def test_a_migration_without_its_database_is_a_sentence(url: str) -> None:
    answer = run_cli("migrate", LOVEBANK_DATABASE_URL=url)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("The database does not answer.")
    assert answer.stderr.count("\n") == 1


def test_a_migration_to_a_revision_that_nobody_wrote_is_a_sentence(settings: Settings) -> None:
    answer = run_cli("migrate", "4711", LOVEBANK_DATABASE_URL=settings.database_url)
    assert (answer.returncode, answer.stderr) == (2, "Can't locate revision identified by '4711'.\n")


def test_a_secrets_file_that_is_empty_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pepper").touch()
    answer = run_cli("worker", LOVEBANK_SECRET_PEPPER_FILE=str(tmp_path / "pepper"))
    assert answer.returncode == 2
    assert answer.stderr == "LOVEBANK_SECRET_PEPPER: Value should have at least 32 items after validation, not 0.\n"


def test_a_secrets_file_that_is_missing_is_a_sentence() -> None:
    answer = run_cli("worker", LOVEBANK_SIGNING_KEY_FILE="/nowhere/key.pem")
    assert answer.returncode == 2
    missing = "LOVEBANK_SIGNING_KEY_FILE: /nowhere/key.pem cannot be read (No such file or directory).\n"
    assert answer.stderr == missing


def test_the_document_is_printed_without_secrets_and_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    answer = run_cli("openapi", LOVEBANK_ENVIRONMENT="production")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("openapi: 3.1")
    assert list(tmp_path.iterdir()) == []


def test_a_city_client_is_bootstrapped_and_gets_a_token(settings: Settings, tmp_path: Path) -> None:
    environment = {"LOVEBANK_DATABASE_URL": settings.database_url, **PEPPER}
    made = json.loads(run_cli("bootstrap", "--name", "市级", **environment).stdout)
    with started(tmp_path, "serve", LOVEBANK_DATABASE_URL=settings.database_url) as (_, client):
        form = {"grant_type": "client_credentials", **made}
        assert client.post("/oauth2/token", data=form).json()["scope"] == "city_admin"


def test_every_setting_is_documented_by_the_command() -> None:
    printed = run_cli("settings").stdout
    for name in (
        "DATABASE_URL",
        "ENVIRONMENT",
        "SIGNING_KEY",
        "SIGNING_KEYS_OLD",
        "SECRET_PEPPER",
        "RATE_LIMIT",
        "LOG_FORMAT",
        "METRICS",
    ):
        assert f"LOVEBANK_{name}=" in printed
    assert "LOVEBANK_X_FILE" in printed.splitlines()[0]
