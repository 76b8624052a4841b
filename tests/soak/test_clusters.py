"""The PostgreSQL of a soak's own outlives whatever becomes of a round in it."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.soak.clusters import connected, own_cluster, world_of_own_cluster
from tests.soak.parts import BROKEN, ViolationError, code_of


def break_a_promise_while_it_is_down() -> None:
    with world_of_own_cluster():
        own_cluster().kill()
        message = "a point is lost"
        raise ViolationError(message)


def test_a_promise_broken_while_the_server_is_down_is_told_and_the_server_goes_on() -> None:
    with pytest.raises(ViolationError, match="a point is lost") as caught:
        break_a_promise_while_it_is_down()
    assert code_of(caught.value) == BROKEN
    with closing(connected()) as connection:
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'test_%'").fetchone() == (0,)
