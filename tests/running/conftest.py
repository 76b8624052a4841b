"""The demo as it is after its first start, loaded once for all tests that begin with it."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.demo.service import DemoKeeper
from app.settings import Settings
from tests.running.test_serve import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@dataclass(frozen=True)
class Demo:
    """A folder with a demo's files, and what the first start wrote."""

    folder: Path

    @property
    def url(self) -> str:
        """The database's."""
        return f"sqlite:///{self.folder / 'demo' / 'lovebank.db'}"

    @property
    def keeper(self) -> DemoKeeper:
        """Whoever keeps the files."""
        return DemoKeeper(Settings(database_url=self.url))

    @property
    def log(self) -> str:
        """What the last start wrote."""
        return (self.folder / "service.log").read_text(encoding="utf-8")

    @property
    def credentials(self) -> list[str]:
        """The lines of the credentials' file."""
        return self.keeper.credentials_path.read_text(encoding="utf-8").splitlines()

    def copied(self, to: Path) -> Demo:
        """A copy of it in a folder."""
        return Demo(Path(shutil.copytree(self.folder, to / "copy")))

    @contextmanager
    def served(self, **environment: str) -> Iterator[Served]:
        """Start it, be asked to stop at the end, and stop in order."""
        with started(self.folder, "demo", LOVEBANK_DATABASE_URL=self.url, **environment) as (process, client):
            yield Served(client, dict(self._login(client, line) for line in self.credentials))
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0

    def _login(self, client: httpx.Client, line: str) -> tuple[str, dict[str, str]]:
        credentials = json.loads(line)
        role = credentials.pop("role")
        answer = client.post("/oauth2/token", data={"grant_type": "client_credentials", **credentials})
        return role, {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


@dataclass(frozen=True)
class Served:
    """A demo that runs, with the headers of each role's client."""

    client: httpx.Client
    roles: dict[str, dict[str, str]]

    def get(self, role: str, path: str, **parameters: Any) -> Any:
        """What a role's client gets."""
        answer = self.client.get(path, params=parameters, headers=self.roles[role])
        return answer.raise_for_status().json()

    def items(self, role: str, path: str, **parameters: Any) -> list[Any]:
        """All items of a list, from page to page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(role, path, limit=200, **parameters, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    @property
    def base(self) -> str:
        """The path of the community that was opened first."""
        return f"/v1/communities/{self.items('city_admin', '/v1/communities')[-1]['id']}"


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    with demo.served():
        pass
    return demo


@pytest.fixture
def demo(first_start: Demo, tmp_path: Path) -> Demo:
    """A copy of one's own of the demo that was loaded."""
    return first_start.copied(tmp_path)
