"""Schemathesis against a real server: what the description allows and what it forbids, for each operation."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from app.kernel.keys import new_signing_key
from tests.bank import bank_of_today
from tests.contract.furnished import Furnished
from tests.contract.spec import operations_of
from tests.running.test_serve import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

UNCHECKED = (
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
    "object_level_authorization",
    "missing_required_header",
)
"""What it cannot judge here: whether made-up volunteers exist, which of them are the caller's own, and that a missing
If-Match is 428 (RFC 6585)."""

ROWS_JUDGED_SINGLY = {"create_service_record_batch"}
"""Where a body with a wrong row in it is rightly taken: the row is refused by itself."""

_program = Path(sys.executable).with_name("schemathesis")


@dataclass(frozen=True)
class Served:
    """A server that listens, and for each operation the headers and values that let a request through."""

    url: str
    operations: list[tuple[str, dict[str, Any]]]


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[Served]:
    """Furnish the database of the settings and run the service over it."""
    key, ledger_key = new_signing_key(), new_signing_key()
    keys = {"signing_key": SecretStr(key), "ledger_key": SecretStr(ledger_key)}
    operations = asyncio.run(_furnish(settings.model_copy(update=keys)))
    environment = {
        "LOVEBANK_DATABASE_URL": settings.database_url,
        "LOVEBANK_SIGNING_KEY": key,
        "LOVEBANK_LEDGER_KEY": ledger_key,
        "LOVEBANK_SECRET_PEPPER": settings.secret_pepper.get_secret_value() if settings.secret_pepper else "",
    }
    with started(folder, "serve", **environment) as (_, client):
        yield Served(str(client.base_url), operations)


async def _furnish(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    async with bank_of_today(settings) as bank:
        own, found = await Furnished.of(bank), []
        for operation in operations_of(bank.app):
            values = {**own.named, **await own.fresh(operation.path_parameters)}
            parameters = {f"path.{name}": values[name] for name in operation.path_parameters if name in values}
            tables: dict[str, Any] = {
                "headers": own.admitted(operation),
                "parameters": {name: str(value) for name, value in parameters.items()},
            }
            if operation.body is None or operation.id in ROWS_JUDGED_SINGLY:
                # Its idea of a wrong path is replaced by the real one above, and then rightly taken.
                tables["checks"] = {"negative_data_rejection": {"enabled": False}}
            found.append((operation.id, tables))
        return found


def run_schemathesis(
    served: Served, folder: Path, *, seed: int, phases: str, examples: int, seconds: int
) -> subprocess.CompletedProcess[str]:
    """Run it over every operation; its report is its output, its exit code 0 when it found nothing."""
    config = folder / "schemathesis.toml"
    config.write_text(_toml(served.operations), encoding="utf-8")
    command = [str(_program), "--config-file", str(config), "run", f"{served.url}/openapi.json"]
    command += ["--seed", str(seed), "--phases", phases, "--max-examples", str(examples), "--max-time", str(seconds)]
    command += ["--continue-on-failure", "--no-color", "--request-timeout", "5"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _toml(operations: list[tuple[str, dict[str, Any]]]) -> str:
    """The operations as Schemathesis wants them told."""
    lines = ["[checks]", *(f"{check} = {{ enabled = false }}" for check in UNCHECKED)]
    for operation_id, tables in operations:
        lines += ["[[operations]]", f"include-operation-id = {_inline(operation_id)}"]
        lines += [f"{name} = {_inline(table)}" for name, table in tables.items()]
    return "\n".join(lines)


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_inline(name)} = {_inline(inner)}" for name, inner in value.items()) + " }"
    # A text or truth value of JSON is written the same in TOML.
    return orjson.dumps(value).decode()
