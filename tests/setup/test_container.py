"""The container image and its compose file, as far as they can be told without an engine that builds them.

What the image holds is put together from the Dockerfile's own COPY lines, and started with the Dockerfile's own words.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.conftest import new_postgresql
from tests.running.test_serve import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
_alive_within_seconds = 30
_stopped_within_seconds = 10


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with its text on one line."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in whole.splitlines() if line.strip()]


def of_last_stage(name: str) -> list[str]:
    """The texts of an instruction in the stage that becomes the image."""
    found = instructions()
    last = max(number for number, (one, _) in enumerate(found) if one == "FROM")
    return [text for one, text in found[last:] if one == name]


def in_context(path: str) -> bool:
    """Whether a path is sent to the build, by .dockerignore's rules as it uses them."""
    kept = True
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if rule.startswith("#") or not rule:
            continue
        pattern = rule.removeprefix("!")
        if fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
            kept = rule.startswith("!")
    return kept


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image works in, with what the Dockerfile copies there."""
    folder = tmp_path_factory.mktemp("image")
    for name, text in instructions():
        if name == "COPY" and "--from" not in text and "/srv/love-bank/" in text:
            source, target = text.split()
            assert in_context(source), f"{source} is not sent to the build"
            copied = folder / Path(target).relative_to("/srv/love-bank")
            shutil.copytree(ROOT / source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    return folder


def files_in(folder: Path) -> dict[str, float]:
    """Every file with the time of its last change."""
    return {str(path.relative_to(folder)): path.stat().st_mtime for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of secrets that the script makes."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    made = subprocess.run([DEPLOY / "secrets.sh", folder], capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    return folder


@pytest.fixture
def environment(secrets: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The image's environment, beside a PostgreSQL, and with a temporary folder alone to write to."""
    pairs = shlex.split(" ".join(of_last_stage("ENV")))
    of_image = dict(pair.split("=", 1) for pair in pairs)
    # The interpreter of these tests stands for that of the image.
    of_image["PATH"] = f"{Path(sys.executable).parent}:{of_image['PATH']}"
    with new_postgresql() as url:
        yield {
            **of_image,
            "HOME": "/nonexistent",
            "TMPDIR": str(tmp_path),
            "LOVEBANK_DATABASE_URL": url,
            "LOVEBANK_SIGNING_KEY_FILE": str(secrets / "signing_key"),
            "LOVEBANK_LEDGER_KEY_FILE": str(secrets / "ledger_key"),
            "LOVEBANK_LEDGER_ORIGIN": "bank.example",
            "LOVEBANK_SECRET_PEPPER_FILE": str(secrets / "secret_pepper"),
        }


def ran(image: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the image's entry point with a command."""
    entry = json.loads(of_last_stage("ENTRYPOINT")[0])
    return subprocess.run(
        [*entry, *arguments], cwd=image, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_image_migrates_serves_is_healthy_and_stops_cleanly_on_a_file_system_it_leaves_as_it_is(
    image: Path, environment: dict[str, str]
) -> None:
    before = files_in(image)
    migrated = ran(image, environment, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    port = str(free_port())
    command = [*json.loads(of_last_stage("ENTRYPOINT")[0]), *json.loads(of_last_stage("CMD")[0])]
    served = [part.replace("8000", port).replace("0.0.0.0", "127.0.0.1") for part in command]  # noqa: S104  taken out
    probe = json.loads(of_last_stage("HEALTHCHECK")[0].partition(" CMD ")[2])
    probe = [part.replace("8000", port) for part in probe]
    with subprocess.Popen(served, cwd=image, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + _alive_within_seconds
            while subprocess.run(probe, env=environment, stderr=subprocess.DEVNULL, check=False).returncode:
                assert process.poll() is None
                assert time.monotonic() < until
            process.send_signal(getattr(signal, of_last_stage("STOPSIGNAL")[0]))
            assert process.wait(timeout=_stopped_within_seconds) == 0
        finally:
            process.kill()
    assert subprocess.run(probe, env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 1
    assert files_in(image) == before


def test_the_image_refuses_to_serve_without_its_secrets(image: Path, environment: dict[str, str]) -> None:
    without = {name: value for name, value in environment.items() if "PEPPER" not in name}
    refused = ran(image, without, "serve")
    assert refused.returncode == 2
    assert "LOVEBANK_SECRET_PEPPER" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_image_runs_as_a_user_with_no_rights_and_installs_the_lock_with_its_hashes() -> None:
    (user,) = of_last_stage("USER")
    assert all(int(part) > 0 for part in user.split(":"))
    assert of_last_stage("RUN") == []
    stages = [text for name, text in instructions() if name == "FROM"]
    assert len(stages) == 2
    install = " ".join(text for name, text in instructions() if name == "RUN")
    assert "--require-hashes --only-binary :all:" in install
    assert in_context("requirements.lock")
    for path in (".git", ".env", ".demo", "tests", "deploy/secrets", "lovebank.db", "app/__pycache__"):
        assert not in_context(path), path


def compose() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_every_secret_of_the_compose_file_is_made_by_the_script_and_made_once(secrets: Path) -> None:
    wanted = {Path(one["file"]).name for one in compose()["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == wanted
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert all(before.values())
    assert before["migrator_password"] in before["migrator_url"]
    assert before["service_password"] in before["service_url"]
    assert len(before["secret_pepper"]) == 64
    assert secrets.stat().st_mode & 0o777 == 0o700
    subprocess.run([DEPLOY / "secrets.sh", secrets], check=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    for name, service in compose()["services"].items():
        assert set(service.get("secrets", ())) <= wanted, name


def test_the_services_of_the_compose_file_may_do_no_more_than_they_need() -> None:
    services = compose()["services"]
    own = {name: service for name, service in services.items() if name != "database"}
    assert own.keys() == {"migrate", "api", "worker"}
    for name, service in own.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"superuser_password", "inspector_password"} & set(service["secrets"])
        assert "migrator_url" not in service["secrets"] or name == "migrate"
        for variable, value in service["environment"].items():
            assert not variable.endswith("_FILE") or value.removeprefix("/run/secrets/") in service["secrets"]
    assert all("127.0.0.1:" in port for service in services.values() for port in service.get("ports", ()))
    assert own["api"]["depends_on"] == own["worker"]["depends_on"] != own["migrate"]["depends_on"]
    # Whoever runs the server's first scripts is not the owner of the tables: no wall stops a superuser.
    assert services["database"]["environment"]["POSTGRES_USER"] == "postgres"
    assert os.access(DEPLOY / "database" / "users.sh", os.X_OK)


def test_the_scripts_are_sound_and_every_user_that_logs_in_gets_a_password_after_it_was_made() -> None:
    script = (DEPLOY / "database" / "users.sh").read_text()
    users = re.search(r"for user in (.*); do", script)
    assert users is not None
    roles = (DEPLOY / "database" / "roles.sql").read_text()
    made = re.search(r"ARRAY\[(.*)\] LOOP\n.*\n +EXECUTE format\('CREATE ROLE %I LOGIN'", roles)
    assert made is not None
    assert re.findall(r"lovebank_(\w+)", made[1]) == users[1].split()
    # The server runs what is in the folder in the order of the names.
    assert sorted(path.name for path in (DEPLOY / "database").iterdir()) == ["roles.sql", "users.sh"]
    for part in ("secrets.sh", "database/users.sh"):
        assert subprocess.run(["/bin/sh", "-n", DEPLOY / part], check=False).returncode == 0
