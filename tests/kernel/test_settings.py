"""Settings come from arguments, the environment, files that hold secrets and `.env`, in that order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.main import MissingSecretError, open_database
from app.settings import Settings, documented, sentences_of

if TYPE_CHECKING:
    from pathlib import Path

PEPPER = "x" * 32


@pytest.fixture(autouse=True)
def bare_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and an environment without settings of ours."""
    for name in [name for name in os.environ if name.upper().startswith("LOVEBANK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_set_it_is_development_on_a_file_here() -> None:
    settings = Settings()
    assert (settings.environment, settings.database_url) == ("development", "sqlite:///lovebank.db")
    assert settings.on_sqlite
    assert settings.secret_pepper is None


def test_each_source_goes_before_the_next(bare_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare_place / ".env").write_text("LOVEBANK_TOKEN_SECONDS=100\nLOVEBANK_UNKNOWN=1\n")
    assert Settings().token_seconds == 100
    (bare_place / "seconds").write_text("200\n")
    monkeypatch.setenv("LOVEBANK_TOKEN_SECONDS_FILE", str(bare_place / "seconds"))
    assert Settings().token_seconds == 200
    monkeypatch.setenv("LOVEBANK_TOKEN_SECONDS", "300")
    assert Settings().token_seconds == 300
    assert Settings(token_seconds=400).token_seconds == 400


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_a_secret_is_read_from_its_file_without_the_last_line_break(
    bare_place: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    (bare_place / "pepper").write_text(f" {PEPPER}\n 密 {ending}", encoding="utf-8")
    monkeypatch.setenv("LOVEBANK_SECRET_PEPPER_FILE", str(bare_place / "pepper"))
    pepper = Settings().secret_pepper
    assert pepper is not None
    assert pepper.get_secret_value() == f" {PEPPER}\n 密 "


def test_a_secrets_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOVEBANK_SECRET_PEPPER_FILE", "nowhere")
    with pytest.raises(SettingsError, match="secret_pepper"):
        Settings()


def test_a_line_of_the_env_file_names_the_file_of_a_secret_too(
    bare_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare_place / "pepper").write_text(f"{PEPPER}\n")
    (bare_place / ".env").write_text("LOVEBANK_SECRET_PEPPER_FILE=pepper\n")
    pepper = Settings().secret_pepper
    assert pepper is not None
    assert pepper.get_secret_value() == PEPPER
    monkeypatch.setenv("LOVEBANK_SECRET_PEPPER", "y" * 32)
    nearer = Settings().secret_pepper
    assert nearer is not None
    assert nearer.get_secret_value() == "y" * 32


def test_no_error_shows_the_secret_that_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOVEBANK_SECRET_PEPPER", "supersecretshort")
    monkeypatch.setenv("LOVEBANK_DATABASE_URL", "mysql://root:supersecretshort@h/n")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "supersecretshort" not in str(caught.value)
    sentences = sentences_of(caught.value)
    assert "supersecretshort" not in "".join(sentences)
    assert [sentence.partition(":")[0] for sentence in sentences] == ["LOVEBANK_DATABASE_URL", "LOVEBANK_SECRET_PEPPER"]
    assert sentences[0] == "LOVEBANK_DATABASE_URL: must begin with sqlite:/// or postgresql://."


@pytest.mark.parametrize("in_env_file", [False, True])
def test_a_secrets_file_that_cannot_be_read_is_named_in_a_sentence(
    bare_place: Path, monkeypatch: pytest.MonkeyPatch, *, in_env_file: bool
) -> None:
    (bare_place / "latin").write_bytes(b"\xe9" * 32)
    for file, reason in {"nowhere": "No such file or directory", "latin": "it is not UTF-8"}.items():
        if in_env_file:
            (bare_place / ".env").write_text(f"LOVEBANK_SECRET_PEPPER_FILE={file}\n")
        else:
            monkeypatch.setenv("LOVEBANK_SECRET_PEPPER_FILE", file)
        with pytest.raises(SettingsError) as caught:
            Settings()
        assert sentences_of(caught.value) == [f"LOVEBANK_SECRET_PEPPER_FILE: {file} cannot be read ({reason})."]


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.token_seconds = 60  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    ["", "lovebank.db", "sqlite://lovebank.db", "sqlite+aiosqlite:///x.db", "postgresql+psycopg://h/n", "mysql://h/n"],
)
def test_a_url_of_another_database_is_refused_with_what_is_possible(url: str) -> None:
    with pytest.raises(ValidationError, match="must begin with sqlite:/// or postgresql://"):
        Settings(database_url=url)


def test_only_a_postgresql_can_be_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOVEBANK_DATABASE_DISTRIBUTED", "true")
    assert Settings(database_url="postgresql://localhost/bank").database_distributed
    with pytest.raises(ValidationError) as caught:
        Settings()
    sentence = "only a PostgreSQL can be distributed, and LOVEBANK_DATABASE_URL names a SQLite file."
    assert sentences_of(caught.value) == [f"LOVEBANK_DATABASE_DISTRIBUTED: {sentence}"]
    with pytest.raises(ValidationError) as caught:
        Settings(database_url="mysql://h/n")
    assert [sentence.partition(":")[0] for sentence in sentences_of(caught.value)] == ["LOVEBANK_DATABASE_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_PEPPER", "x" * 31),
        ("SECRET_PEPPER", ""),
        ("ENVIRONMENT", "staging"),
        ("DATABASE_POOL_SIZE", "0"),
        ("TOKEN_SECONDS", "59"),
        ("TOKEN_SECONDS", "ten"),
        ("ANSWER_DAYS", "0"),
        ("WORKER_POLL_SECONDS", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_value_out_of_its_range_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LOVEBANK_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = Settings(secret_pepper=PEPPER, signing_key="-----BEGIN PRIVATE KEY-----")
    assert PEPPER not in repr(settings)
    assert "BEGIN" not in repr(settings) + str(settings)


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    rows = documented()
    assert [variable for variable, _, _ in rows] == ["LOVEBANK_" + name.upper() for name in Settings.model_fields]
    assert all(meaning for _, _, meaning in rows)
    assert ("LOVEBANK_TOKEN_SECONDS", "600", "how long a token is good for, in seconds") in rows
    assert [default for variable, default, _ in rows if variable == "LOVEBANK_SIGNING_KEY"] == [""]


def test_development_keeps_its_secrets_beside_the_database(bare_place: Path) -> None:
    folder = bare_place / "data"
    folder.mkdir()
    assert Settings(database_url=f"sqlite:///{folder}/bank.db").keys_folder == folder
    assert Settings(database_url="postgresql://localhost/bank").keys_folder == bare_place
    open_database(Settings(database_url=f"sqlite:///{folder}/bank.db"))
    assert {path.name for path in folder.iterdir()} == {".lovebank-pepper", ".lovebank-ledger-key.pem"}


def test_production_does_not_start_on_a_secret_of_its_own_making(bare_place: Path) -> None:
    with pytest.raises(MissingSecretError, match="LOVEBANK_SECRET_PEPPER"):
        open_database(Settings(environment="production"))
    assert list(bare_place.iterdir()) == []
