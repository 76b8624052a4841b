"""Column types that mean the same on both databases, and are valid in SQLite's STRICT tables."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.kernel.lazily import lazily
from app.kernel.moments import micros, of_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Dialect
    from sqlalchemy.dialects import postgresql
else:
    postgresql = lazily("sqlalchemy.dialects.postgresql")

#: A count of units or a number that may outgrow 32 bits.
Count = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware moment: `timestamptz` on PostgreSQL, whole microseconds since 1970 UTC on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Hand the moment over in the database's form."""
        return micros(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the moment back in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return of_micros(value)
        moment: datetime = value
        return moment.astimezone(UTC)


class LocalDate(TypeDecorator[dt.date]):
    """A day of the community's calendar: `date` on PostgreSQL, ISO text on SQLite."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> Any:
        """Hand the day over in the database's form."""
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.date | None:
        """Give the day back."""
        return dt.date.fromisoformat(value) if value is not None and dialect.name == "sqlite" else value


class Id(TypeDecorator[UUID]):
    """A resource's id: `uuid` on PostgreSQL, its text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else postgresql.UUID(as_uuid=True))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Hand the id over in the database's form."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Give the id back."""
        return UUID(value) if value is not None and dialect.name == "sqlite" else value


class Flag(TypeDecorator[bool]):
    """A yes or no: `boolean` on PostgreSQL, 0 or 1 on SQLite."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002  SQLAlchemy's shape
        """Give a real bool back."""
        return None if value is None else bool(value)


class Digest(TypeDecorator[bytes]):
    """A hash or a salt: `bytea` on PostgreSQL, its hexadecimal text on SQLite, which can read it out of JSON."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else postgresql.BYTEA())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        """Hand the bytes over in the database's form."""
        return value.hex() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Give the bytes back."""
        return bytes.fromhex(value) if value is not None and dialect.name == "sqlite" else value


class Document(TypeDecorator[Any]):
    """A small JSON document: `jsonb` on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else postgresql.JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Hand the document over in the database's form."""
        return orjson.dumps(value).decode() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give the parsed document back."""
        return orjson.loads(value) if value is not None and dialect.name == "sqlite" else value


def bytea(value: bytes) -> str:
    """Write bytes as PostgreSQL reads them out of a text."""
    return "\\x" + value.hex()


def of_bytea(text: str) -> bytes:
    """Read bytes as PostgreSQL writes them in a text."""
    return bytes.fromhex(text.removeprefix("\\x"))


_sqlite = sqlite.dialect()
_json_readers: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {
    Id: UUID,
    Instant: datetime.fromisoformat,
    LocalDate: dt.date.fromisoformat,
    Digest: of_bytea,
}


def json_reader(column_type: TypeEngine[Any], dialect: str) -> Callable[[Any], Any] | None:
    """How a value of a column comes out of a JSON document that the database made; None where it is one already."""
    if dialect == "sqlite" and isinstance(column_type, TypeDecorator):
        return partial(column_type.process_result_value, dialect=_sqlite)
    return next((reader for kind, reader in _json_readers.items() if isinstance(column_type, kind)), None)
