"""Sets the project up, shows it and tests it: one command each, on a machine that has no more than Python.

Uses the standard library alone, because it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import NoReturn

try:
    import fcntl
except ImportError:
    sys.exit("dev.py: this needs Linux or macOS; on Windows, run it in WSL.")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "love-bank-setup.json"
RUNTIME_LOCK = ROOT / "requirements.lock"
# Holds every package of the runtime lock in the same version, so what it installs serves the demo too.
DEV_LOCK = ROOT / "requirements-dev.lock"
PYTHON_MIN = (3, 11)
ERROR_LINES_MAX = 25
MODULES = {"test": "pytest", "soak": "tests.soak", "bench": "tests.bench"}


def say(text: str, end: str = "\n") -> None:
    """Reports progress on stderr, so that stdout holds only what the started program prints."""
    print(text, end=end, file=sys.stderr, flush=True)  # noqa: T201 - a command-line program talks to its user


def stamp_of(*locks: Path) -> dict[str, str]:
    """What an environment with these locks installed is known by; any difference means that it is out of date."""
    return {"python": sys.version, **{lock.name: hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks}}


def is_installed(lock: Path) -> bool:
    """True when a set-up with this Python and this lock ran to its end; the stamp is written last."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return VENV_PYTHON.exists() and stamp_of(lock).items() <= found.items()


def install(lock: Path) -> None:
    """Installs the lock with the user's own pip settings; shows pip's words only when it fails."""
    total = sum(line[0].isalnum() for line in lock.read_text().splitlines() if line)
    # Only wheels whose hashes we know: nothing is built here, so no compiler and no package's own code runs.
    options = ["--require-hashes", "--only-binary", ":all:", "--no-compile", "--no-input", "--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON), "install", *options, "-r", str(lock)]
    say(f"Installing {total} packages from {lock.name} ...")
    last_lines: deque[str] = deque(maxlen=ERROR_LINES_MAX)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        done = 0
        for line in pip.stdout or ():
            last_lines.append(line)
            # What comes from a folder of wheels is "processed".
            if line.startswith(("Collecting ", "Processing ")) and sys.stderr.isatty():
                done += 1
                say(f"\r\033[K  {done}/{total} {Path(line.split()[1]).name}", end="")
    if sys.stderr.isatty():
        say("\r\033[K", end="")
    if pip.returncode:
        say("".join(last_lines))
        sys.exit(f"dev.py: pip could not install {lock.name}; its last lines are above.")


def setup(*, dev: bool) -> None:
    """Brings `.venv` up to date and leaves one that is so alone; a half-made one is made anew."""
    lock = DEV_LOCK if dev else RUNTIME_LOCK
    # Two set-ups at the same time would spoil each other's environment: the second waits, then finds it ready.
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        if is_installed(lock):
            return
        if Path(sys.prefix).resolve() == VENV:
            sys.exit("dev.py: .venv is out of date; run this with the Python that is outside of it.")
        if importlib.util.find_spec("pip") is None:
            sys.exit(f"dev.py: {sys.executable} has no pip; install it (python3-pip on Debian) or use another Python.")
        started_s = time.monotonic()
        if not is_installed(RUNTIME_LOCK):
            say(f"Making .venv with Python {sys.version.split()[0]} ...")
            if subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", VENV], check=False).returncode:
                sys.exit("dev.py: Python's venv could not make .venv; its own words are above.")
        STAMP.unlink(missing_ok=True)
        install(lock)
        STAMP.write_text(json.dumps(stamp_of(RUNTIME_LOCK, lock)))
        say(f"Ready after {time.monotonic() - started_s:.0f} s.")
    finally:
        os.close(folder)


def become(*arguments: str, **environment: str) -> NoReturn:
    """Replaces this process, so that signals and the exit code are the program's own."""
    os.chdir(ROOT)
    # Nothing was compiled when it was installed, so what runs keeps its bytecode: else each start compiles anew.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    os.execve(VENV_PYTHON, [str(VENV_PYTHON), *arguments], {**inherited, **environment})  # noqa: S606 - no shell wanted


def demo(port: int, *, fresh: bool) -> NoReturn:
    """Serves the application with demo data, all of its files in `.demo`."""
    setup(dev=False)
    (ROOT / ".demo").mkdir(mode=0o700, exist_ok=True)
    # Relative to the repository's folder, so that no character of the path to it can upset the URL.
    url = "sqlite:///.demo/lovebank.db"
    become("-m", "app", "demo", "--port", str(port), *(["--fresh"] if fresh else []), LOVEBANK_DATABASE_URL=url)


def develop(command: str, arguments: list[str]) -> NoReturn:
    """Runs a command of development; paths among its arguments start at the repository's folder."""
    setup(dev=True)
    # Benchmarks start a PostgreSQL of their own, one that keeps what it commits.
    beside = [] if command == "bench" else ["-m", "tests.postgres", "--", str(VENV_PYTHON)]
    become(*beside, "-m", MODULES[command], *arguments)


def main(arguments: list[str]) -> None:
    """Reads the command line and does what it says."""
    if sys.version_info < PYTHON_MIN:
        wanted, found = ".".join(map(str, PYTHON_MIN)), sys.version.split()[0]
        sys.exit(f"dev.py: Python {wanted} or newer is needed, this is {found} ({sys.executable}).")
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    setup_parser = commands.add_parser("setup", help="make or update .venv")
    setup_parser.add_argument("--dev", action="store_true", help="with the packages for development and tests")
    demo_parser = commands.add_parser("demo", help="set up, load demo data once and serve")
    demo_parser.add_argument("--port", type=int, default=8000)
    demo_parser.add_argument("--fresh", action="store_true", help="start again with new demo data")
    commands.add_parser("test", help="set up for development and run pytest with the arguments that follow")
    commands.add_parser("soak", help="run for long what tests run shortly; soak --help tells more")
    commands.add_parser("bench", help="measure how fast the service is; bench --help tells more")
    if arguments and arguments[0] in MODULES:  # argparse would take the module's options for its own
        develop(arguments[0], arguments[1:])
    options = parser.parse_args(arguments)
    if options.command == "setup":
        setup(dev=options.dev)
    else:
        demo(options.port, fresh=options.fresh)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
