"""The lock files hold what they should, and dev.py brings an environment up from any state."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
# The Python that .venv was made with: the environment itself has no pip.
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
NOT_TO_BE_HAD = f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n"


def requirements(lock: str) -> list[str]:
    """The lock's requirements, each with its continuation lines joined and comments left out."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def versions(lock: str) -> dict[str, str]:
    """Which version of each package the lock pins."""
    return dict(requirement.split()[0].split("==") for requirement in requirements(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_version_and_hash(lock: str) -> None:
    assert requirements(lock)
    for requirement in requirements(lock):
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", requirement), (
            requirement
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_host_and_no_folder(lock: str) -> None:
    text = (ROOT / lock).read_text()
    # Without a slash there is neither a URL nor a path; without these options no place to install from.
    assert "/" not in text
    assert not re.search(r"^--?(i|f|index|extra-index|find-links)", text, re.MULTILINE)


def test_development_lock_holds_every_version_of_the_runtime_lock() -> None:
    assert versions("requirements.lock").items() <= versions("requirements-dev.lock").items()


def test_locks_satisfy_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, development = project["project"]["dependencies"], project["dependency-groups"]["dev"]
    for lock, wanted in zip(LOCKS, (runtime, [*runtime, *development]), strict=True):
        pinned = versions(lock)
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_dev_needs_the_standard_library_alone_and_stays_small() -> None:
    source = (ROOT / "dev.py").read_text()
    nodes = list(ast.walk(ast.parse(source)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert len(source.splitlines()) <= 160


class Checkout:
    """A copy of dev.py with locks that install nothing, so that a real set-up takes a second."""

    def __init__(self, folder: Path) -> None:
        """Lays the files out in a folder whose name has a space."""
        self.folder = folder / "love bank"
        self.stamp = self.folder / ".venv" / "love-bank-setup.json"
        for program, source in {
            "app": "import os, sys; print(sys.argv[1:], os.environ['LOVEBANK_DATABASE_URL'], os.getcwd())",
            "tests": "",
        }.items():
            (self.folder / program).mkdir(parents=True)
            (self.folder / program / "__main__.py").write_text(source)
        (self.folder / "tests" / "postgres.py").write_text("import sys; print(sys.argv[1:]); sys.exit(5)")
        shutil.copy(ROOT / "dev.py", self.folder)
        for lock in LOCKS:
            (self.folder / lock).write_text("# nothing\n")

    def dev(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs dev.py from another folder, with no package index to be reached."""
        command = [str(BASE_PYTHON), str(self.folder / "dev.py"), *arguments]
        environment = {**os.environ, "PIP_NO_INDEX": "1"}
        return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy for each test."""
    return Checkout(tmp_path)


def test_second_set_up_has_nothing_to_do(checkout: Checkout) -> None:
    first, second = checkout.dev("setup", "--dev"), checkout.dev("setup")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "Ready" in first.stderr
    assert second.stderr == ""


def test_half_made_environment_is_made_anew(checkout: Checkout) -> None:
    left_over = checkout.folder / ".venv" / "left-over"
    left_over.parent.mkdir()
    left_over.touch()
    assert checkout.dev("setup").returncode == 0
    assert not left_over.exists()
    assert checkout.stamp.exists()


def test_changed_lock_that_cannot_be_installed_is_said_and_not_taken_for_done(checkout: Checkout) -> None:
    assert checkout.dev("setup").returncode == 0
    (checkout.folder / "requirements.lock").write_text(NOT_TO_BE_HAD)
    result = checkout.dev("setup")
    assert result.returncode == 1
    assert "no-such-package" in result.stderr
    assert "could not install requirements.lock" in result.stderr
    assert not checkout.stamp.exists()


def test_demo_runs_in_the_repository_on_its_own_database(checkout: Checkout) -> None:
    result = checkout.dev("demo", "--port", "8123", "--fresh")
    url = "sqlite:///.demo/lovebank.db"
    assert result.stdout.strip() == f"['demo', '--port', '8123', '--fresh'] {url} {checkout.folder}", result.stderr
    assert (checkout.folder / ".demo").is_dir()


def test_tests_get_every_argument_and_give_their_exit_code(checkout: Checkout) -> None:
    result = checkout.dev("test", "-q", "-k", "a b", "tests/setup")
    python = checkout.folder / ".venv" / "bin" / "python"
    expected = ["--", str(python), "-m", "pytest", "-q", "-k", "a b", "tests/setup"]
    assert result.stdout.strip() == str(expected), result.stderr
    assert result.returncode == 5
