"""The throw-away PostgreSQL is what the tests expect, and nothing of it outlives its starter."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = [sys.executable, "-m", "tests.postgres"]
GONE_SECONDS_MAX = 20.0
# Says where its database is, then lives until its standard input closes.
TELL_AND_STAY = ["--", "sh", "-c", 'echo "$TEST_DATABASE_URL"; cat']


def environment(**variables: str) -> dict[str, str]:
    """Ours without the database that this very test run was given."""
    return {**{name: value for name, value in os.environ.items() if name != postgres.URL_VARIABLE}, **variables}


def folder_of(url: str) -> Path:
    """The server's folder, from the URL of its socket."""
    return Path(urlsplit(url).query.removeprefix("host="))


def server_pid(folder: Path) -> int:
    """The server's process, which it writes first into this file."""
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    """True while the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def launch(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the launcher to its end."""
    command = [*LAUNCHER, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, check=False, timeout=60
    )


def shown(connection: psycopg.Connection[tuple[str]], name: str) -> str:
    """What the server says a setting is."""
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row
    return row[0]


def test_server_is_set_for_speed_and_reached_by_its_socket_alone() -> None:
    with postgres.running() as url, psycopg.connect(url) as connection:
        folder = folder_of(url)
        assert url == f"postgresql://postgres@/postgres?host={folder}"
        expected = {
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "listen_addresses": "",
            "max_connections": "200",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
        }
        assert {name: shown(connection, name) for name in expected} == expected
        order = connection.execute("SELECT string_agg(v, '' ORDER BY v) FROM unnest(array['b', '中', 'B', 'é']) v")
        assert order.fetchone() == ("Bbé中",)
    assert not folder.exists()


def test_durable_server_on_tcp_keeps_what_is_committed() -> None:
    with postgres.running(durable=True, tcp=True) as url, psycopg.connect(url) as connection:
        assert urlsplit(url).hostname == "127.0.0.1"
        assert {shown(connection, name) for name in ("fsync", "full_page_writes", "synchronous_commit")} == {"on"}


def test_server_that_was_killed_starts_again_with_what_was_committed() -> None:
    with postgres.cluster(durable=True) as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        cluster.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cluster.url)
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_server_that_may_end_by_itself_can_be_started_when_it_has() -> None:
    with postgres.cluster(may_end=True) as cluster:
        ended = server_pid(folder_of(cluster.url))
        cluster.start()
        assert server_pid(folder_of(cluster.url)) == ended
        os.kill(ended, signal.SIGINT)
        # Until its starter's guard has looked, and gone on.
        while (folder_of(cluster.url) / "data" / "postmaster.pid").exists():
            time.sleep(0.05)
        time.sleep(2 * postgres.WATCH_SECONDS)
        cluster.start()
        psycopg.connect(cluster.url).close()


def test_server_starts_again_once_the_last_process_of_the_killed_one_is_gone() -> None:
    with postgres.cluster() as cluster, closing(psycopg.connect(cluster.url)) as connection:
        held = connection.info.backend_pid
        os.kill(held, signal.SIGSTOP)
        cluster.order(postgres.KILL)
        letting_go = threading.Timer(1.0, os.kill, (held, signal.SIGKILL))
        began = time.monotonic()
        letting_go.start()
        cluster.start()
        assert time.monotonic() - began >= 1.0
        with psycopg.connect(cluster.url) as again:
            assert again.execute("SELECT 1").fetchone() == (1,)


def test_exception_takes_the_server_with_it() -> None:
    def fail() -> None:
        with postgres.running() as url:
            folders.append(folder_of(url))
            raise LookupError

    folders: list[Path] = []
    with pytest.raises(LookupError):
        fail()
    assert not folders[0].exists()


def test_exit_code_of_the_command_passes_through() -> None:
    assert launch("--", "sh", "-c", "exit 7").returncode == 7


def test_database_that_is_there_already_is_used_as_it_is() -> None:
    result = launch("--", "sh", "-c", 'echo "$TEST_DATABASE_URL"; exit 3', TEST_DATABASE_URL="postgresql://elsewhere")
    assert (result.stdout, result.returncode) == ("postgresql://elsewhere\n", 3)


def test_missing_binaries_are_an_error() -> None:
    # Without site-packages (-S) Python finds no wheel.
    command = [sys.executable, "-S", "-m", "tests.postgres", "--", "true"]
    result = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "PostgreSQL binaries are missing" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_server_and_folder_are_gone_after_the_launcher_gets_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*LAUNCHER, *TELL_AND_STAY],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout
        assert launcher.stdin
        folder = folder_of(launcher.stdout.readline().strip())
        pid = server_pid(folder)
        assert is_alive(pid)
        launcher.send_signal(number)
        # The command ends with its input, as one that a terminal's Ctrl-C reached would by itself.
        launcher.stdin.close()
        launcher.wait(GONE_SECONDS_MAX)
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while (is_alive(pid) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)
    assert not folder.exists()
