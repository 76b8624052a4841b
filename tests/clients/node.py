"""Node, and the programs of the npm registry that the tests of the OpenAPI document need."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent / "node"
MAJOR_MIN = 20
_seconds_max = 300


def absence() -> str | None:
    """What of Node is missing here, in a few words."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "Node or npm is absent"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return None if int(version[1:].partition(".")[0]) >= MAJOR_MIN else f"Node {version} is older than {MAJOR_MIN}"


def installed() -> Path:
    """The folder of the programs, installed from the lock once into the user's cache. Needs the registry only then."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "love-bank"
    cache.mkdir(parents=True, exist_ok=True)
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / f"clients-{lock}"
    with (cache / "clients.lock").open("w") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
            (folder / "complete").touch()
    return folder / "node_modules"


def run(*command: str, folder: Path, **environment: str) -> str:
    """Run a program in a folder; give what it prints. What fails is an error of the test."""
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **quiet, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=_seconds_max,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
    return done.stdout
