"""One frozen set of settings, from `LOVEBANK_*` variables, a `.env` file and `*_FILE` secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "LOVEBANK_"
_MEBIBYTE = 1024 * 1024


class _FileSource(EnvSettingsSource):
    """Reads `LOVEBANK_X` from the file that `LOVEBANK_X_FILE` names, as containers hand over secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give the file's text without its last line break, or nothing when no file is named."""
        path, key, _ = super().get_field_value(field, f"{field_name}_file")
        return _text_of(field_name, path), key, False


class _DotenvFileSource(DotEnvSettingsSource):
    """Reads `LOVEBANK_X` from the file that a line `LOVEBANK_X_FILE` of `.env` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give the file's text without its last line break, or nothing when no file is named."""
        path, key, _ = super().get_field_value(field, f"{field_name}_file")
        return _text_of(field_name, path), key, False


def _text_of(field_name: str, path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    message = f"{PREFIX}{field_name.upper()}_FILE: {path} cannot be read ({reason})."
    raise ValueError(message)


class Settings(BaseSettings):
    """Everything about the service that differs from place to place. Immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        frozen=True,
        extra="ignore",
        # A secret that is too short would else stand in the error, and so in a log.
        hide_input_in_errors=True,
    )

    database_url: str = Field(
        "sqlite:///lovebank.db", description="`sqlite:///FILE`, or `postgresql://user@host/name` (15 or later)"
    )
    database_distributed: bool = Field(
        default=False,
        description="true once `python -m app distribute --apply` has spread the PostgreSQL over nodes (Citus): every"
        " statement then names one community, requests share a transaction within one community alone, and `migrate`"
        " distributes the tables that it makes",
    )
    database_role: Literal["lovebank_app", "lovebank_auditor"] = Field(
        "lovebank_app",
        description="role that every transaction takes on in PostgreSQL; `lovebank_auditor` is for `audit` by a user"
        " who may read and nothing else",
    )
    database_pool_size: int = Field(8, ge=1, le=200, description="connections kept to the database, per process")
    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start on missing secrets or with demo data"
    )
    signing_key: SecretStr | None = Field(
        None, description="Ed25519 private key in PEM that signs tokens; in development made and kept in a file"
    )
    signing_keys_old: SecretStr | None = Field(
        None,
        description="Ed25519 keys in PEM, public or private, one after the other, whose tokens are still taken and that"
        " sign none: the key before the present one, until its last token has run out",
    )
    ledger_key: SecretStr | None = Field(
        None,
        description="Ed25519 private key in PEM that signs receipts and checkpoints of the ledger, and nothing else; in"
        " development made and kept in a file",
    )
    ledger_keys_old: SecretStr | None = Field(
        None,
        description="Ed25519 keys in PEM, public or private, one after the other, that signed checkpoints before the"
        " present one: an audit still takes them",
    )
    ledger_origin: str = Field(
        "love-bank.local",
        pattern=r"^[^\s+]+$",
        max_length=200,
        description="name under which receipts and checkpoints are signed: a domain of yours that never changes",
    )
    secret_pepper: SecretStr | None = Field(
        None,
        min_length=32,
        description="32 characters or more: keys the hashes of secrets and wraps the keys of personal data;"
        " in development made and kept in a file",
    )
    queue_length_max: int = Field(
        2000, ge=1, description="requests that may wait for a transaction, per process; who comes then gets 503"
    )
    issuer: str = Field("http://127.0.0.1:8000", description="`iss` of the tokens: the address that clients use")
    token_seconds: int = Field(600, ge=60, le=3600, description="how long a token is good for, in seconds")
    rate_limit: int = Field(
        3000,
        ge=1,
        description="requests without a valid token that one address may send in a minute, per process: anonymous ones"
        " and failed authentications; above it they get 429. Behind a proxy set FORWARDED_ALLOW_IPS to its address, or"
        " all its clients count as one, here and for wrong PINs",
    )
    body_bytes_max: int = Field(2 * _MEBIBYTE, ge=_MEBIBYTE, description="largest request body, in bytes")
    answer_days: int = Field(30, ge=1, description="days for which the answer to an idempotency key is kept")
    worker_poll_seconds: float = Field(1.0, gt=0, description="how often the worker looks for due jobs, in seconds")
    log_format: Literal["json", "console"] = Field("json", description="form of the logs on stdout")
    metrics: bool = Field(default=True, description="whether `/metrics` answers")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://")):
            message = "must begin with sqlite:/// or postgresql://"
            raise ValueError(message)
        return value

    @field_validator("database_distributed")
    @classmethod
    def _distributable(cls, value: bool, others: ValidationInfo) -> bool:  # noqa: FBT001  pydantic's shape
        # A database that was refused itself is told of there.
        if value and others.data.get("database_url", "").startswith("sqlite:"):
            message = "only a PostgreSQL can be distributed, and LOVEBANK_DATABASE_URL names a SQLite file"
            raise ValueError(message)
        return value

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.database_url.startswith("sqlite:")

    @property
    def keys_folder(self) -> Path:
        """Where development keeps the secrets it makes: beside the SQLite file, else the working directory."""
        return Path(self.database_url.removeprefix("sqlite:///")).absolute().parent if self.on_sqlite else Path.cwd()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  `*_FILE` takes its place
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, its `*_FILE`, the `.env` file, and the `*_FILE` of that."""
        files = _FileSource(settings_cls)
        return init_settings, env_settings, files, dotenv_settings, _DotenvFileSource(settings_cls)


def documented() -> list[tuple[str, str, str]]:
    """Every setting as (variable, default, meaning), for `python -m app settings`."""
    return [
        (PREFIX + name.upper(), "" if field.default is None else str(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def sentences_of(error: ValidationError | SettingsError) -> list[str]:
    """Say each fault of the settings in one sentence that names the variable and shows no value."""
    if isinstance(error, SettingsError):
        # The library wraps what its sources raise, and names neither the variable nor the file.
        return [str(error.__cause__ or error)]
    return [
        f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg'].removeprefix('Value error, ')}."
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
