"""A PostgreSQL of the soak's own, which keeps what it committed and may be killed: others use the tests' one."""

from __future__ import annotations

import atexit
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.conftest import new_postgresql
from tests.postgres import Cluster, cluster
from tests.soak.world import furnished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.soak.world import World


_seconds_max, _look_seconds = 30.0, 0.01


@cache
def own_cluster() -> Cluster:
    """The one durable server of this process, started when first asked for; it ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(cluster(durable=True))


@contextmanager
def world_of_own_cluster() -> Iterator[World]:
    """Furnish a new database in it."""
    with world_of(own_cluster()) as world:
        yield world


@contextmanager
def world_of(server: Cluster) -> Iterator[World]:
    """Furnish a new database in a server; it runs again at the end, whatever became of it meanwhile."""
    with (
        tempfile.TemporaryDirectory(prefix="lovebank-soak-") as name,
        new_postgresql(server=server.url) as url,
    ):
        try:
            yield furnished(url, Path(name))
        finally:
            server.start()
            connected(server).close()


def connected(server: Cluster | None = None) -> psycopg.Connection[Any]:
    """Connect to a server, or to the own one, as soon as it lets anybody in: for a while after a crash it does not."""
    url = (server or own_cluster()).url
    until = time.monotonic() + _seconds_max
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(_look_seconds)
