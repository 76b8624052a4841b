"""Schemathesis against a real server: what the description allows and what it forbids, for each operation.

Each case is sent by one who may call the operation, and again by the other callers in turn (see `tests.fuzz.callers`).
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from app.kernel.keys import new_signing_key
from tests.bank import bank_of_today
from tests.contract.furnished import USE_UP_A_VOLUNTEER, Furnished, authorized
from tests.contract.spec import operations_of
from tests.fuzz import callers
from tests.running.test_serve import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from tests.contract.furnished import Headers
    from tests.contract.spec import Operation

STRANGER = "a stranger"
"""A caller beside those of the community: the manager of another one."""

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
_project = Path(__file__).parents[2]
_token_seconds = 3600


@dataclass(frozen=True)
class World:
    """What is documented, for each operation what lets a request through, and for each caller the headers to send."""

    documented: list[Operation]
    operations: list[tuple[str, dict[str, Any]]]
    callers: dict[str, Headers]


@dataclass(frozen=True)
class Served:
    """A server that listens, and what may be called there by whom."""

    url: str
    world: World


@dataclass(frozen=True)
class Run:
    """What came of a run: 0 when nothing was found, its report, and the statuses by operation and caller."""

    code: int
    told: str
    calls: dict[str, dict[str, Counter[int]]]

    @property
    def cases(self) -> int:
        """How many cases were made up; each was sent by several."""
        found = re.search(r"(\d+) generated", self.told)
        assert found is not None, self.told
        return int(found[1])

    def by(self, caller: str) -> Counter[int]:
        """What a caller was answered, over all operations."""
        return sum((by[caller] for by in self.calls.values()), Counter())

    def unsent(self, world: World) -> list[tuple[str, str]]:
        """The operations, with the callers, that were never sent."""
        pairs = [(operation.id, caller) for operation in world.documented for caller in world.callers]
        return [(operation, caller) for operation, caller in pairs if not self.calls.get(operation, {}).get(caller)]


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[Served]:
    """Furnish the database of the settings and run the service over it."""
    key, ledger_key = new_signing_key(), new_signing_key()
    keys = {"signing_key": SecretStr(key), "ledger_key": SecretStr(ledger_key)}
    world = asyncio.run(_furnish(settings.model_copy(update={**keys, "token_seconds": _token_seconds})))
    environment = {
        "LOVEBANK_DATABASE_URL": settings.database_url,
        "LOVEBANK_SIGNING_KEY": key,
        "LOVEBANK_LEDGER_KEY": ledger_key,
        "LOVEBANK_SECRET_PEPPER": settings.secret_pepper.get_secret_value() if settings.secret_pepper else "",
    }
    with started(folder, "serve", **environment) as (_, client):
        yield Served(str(client.base_url), world)


async def _furnish(settings: Settings) -> World:
    async with bank_of_today(settings) as bank:
        stranger = bank.manager
        await bank.open_community()
        own, found = await Furnished.of(bank), []
        for operation in operations_of(bank.app):
            values = {**own.named, **await own.fresh(operation.path_parameters)}
            if operation.id in USE_UP_A_VOLUNTEER:
                values["volunteer_id"] = await own.new_volunteer()
            parameters = {f"path.{name}": values[name] for name in operation.path_parameters if name in values}
            tables: dict[str, Any] = {
                "headers": own.admitted(operation),
                "parameters": {name: str(value) for name, value in parameters.items()},
            }
            if operation.body is None or operation.id in ROWS_JUDGED_SINGLY:
                # Its idea of a wrong path is replaced by the real one above, and then rightly taken.
                tables["checks"] = {"negative_data_rejection": {"enabled": False}}
            found.append((operation.id, tables))
        return World(operations_of(bank.app), found, {**own.callers(), STRANGER: authorized(stranger)})


def run_schemathesis(served: Served, folder: Path, *, seed: int, phases: str, examples: int, seconds: int) -> Run:
    """Run it over every operation, as every caller."""
    config, calls = folder / "schemathesis.toml", folder / "calls.json"
    calls.unlink(missing_ok=True)
    config.write_text(_toml(served.world, calls), encoding="utf-8")
    command = [str(_program), "--config-file", str(config), "run", f"{served.url}/openapi.json"]
    command += ["--seed", str(seed), "--phases", phases, "--max-examples", str(examples), "--max-time", str(seconds)]
    command += ["--continue-on-failure", "--no-color", "--request-timeout", "5"]
    environment = {**os.environ, "PYTHONPATH": str(_project), "SCHEMATHESIS_HOOKS": callers.__name__}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    told = run.stdout + run.stderr
    assert calls.exists(), told
    return Run(run.returncode, told, _read(calls))


def _read(calls: Path) -> dict[str, dict[str, Counter[int]]]:
    return {
        operation: {
            caller: Counter({int(status): count for status, count in found.items()}) for caller, found in by.items()
        }
        for operation, by in orjson.loads(calls.read_bytes()).items()
    }


def _toml(world: World, calls: Path) -> str:
    """The operations and callers as Schemathesis wants them told."""
    lines = ["[checks]", *(f"{check} = {{ enabled = false }}" for check in UNCHECKED)]
    lines.append(f"{callers.EveryCaller.__name__} = {_inline({'callers': world.callers, 'calls': str(calls)})}")
    for operation_id, tables in world.operations:
        lines += ["[[operations]]", f"include-operation-id = {_inline(operation_id)}"]
        lines += [f"{name} = {_inline(table)}" for name, table in tables.items()]
    return "\n".join(lines)


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_inline(name)} = {_inline(inner)}" for name, inner in value.items()) + " }"
    # A text or truth value of JSON is written the same in TOML.
    return orjson.dumps(value).decode()
