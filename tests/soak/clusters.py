"""A PostgreSQL of the soak's own, which keeps what it committed and may be killed: others use the tests' one."""

from __future__ import annotations

import atexit
import tempfile
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import new_postgresql
from tests.postgres import Cluster, cluster
from tests.soak.world import furnished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.soak.world import World


@cache
def own_cluster() -> Cluster:
    """The one durable server of this process, started when first asked for; it ends with the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(cluster(durable=True))


@contextmanager
def world_of_own_cluster() -> Iterator[World]:
    """Furnish a new database in it."""
    with (
        tempfile.TemporaryDirectory(prefix="lovebank-soak-") as name,
        new_postgresql(server=own_cluster().url) as url,
    ):
        yield furnished(url, Path(name))
