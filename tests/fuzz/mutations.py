"""Requests spoilt at random, from a seed: bytes of bodies, headers, paths and queries that no client would send."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"
LITERALS = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"true",
    b"null",
    b'"5"',
    b"5",
    b"1.0",
    b"-1",
    b"-0",
    b"9223372036854775807",
    b"9223372036854775808",
    b"1" + b"0" * 400,
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\xff\xfe"',
    b'""',
    b"[]",
    b"{}",
    b"[[[[]]]]",
    b'{"a":1,"a":2}',
    b'"' + "名".encode() * 400 + b'"',
    b'"\\u202e"',
    b'"2026-02-30T25:61:00+08:00"',
    b"[" * 3000,
    b'{"a":' * 600,
    b"'",
    b"/*",
    b"\\",
    b'"0001-01-01T00:00:00+14:00"',
    b'"%00"',
    b'"; DROP TABLE postings; --"',
)
HEADERS = (
    (b"content-type", b""),
    (b"content-type", b"text/plain"),
    (b"content-type", b"\xff\xfe"),
    (b"content-type", b"application/json; charset=utf-16"),
    (b"content-type", b"multipart/form-data"),
    (b"content-type", b"multipart/form-data; boundary=x"),
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"content-encoding", b"gzip"),
    (b"content-length", b"-1"),
    (b"content-length", b"1e3"),
    (b"content-length", b"9" * 40),
    (b"content-length", b"0"),
    (b"authorization", b"Bearer"),
    (b"authorization", b"Bearer \xff.\xff.\xff"),
    (b"authorization", b"Bearer " + b"a" * 9000),
    (b"authorization", b"Basic Og=="),
    (b"authorization", b""),
    (b"idempotency-key", b""),
    (b"idempotency-key", b"\xe5\x90\x8d"),
    (b"idempotency-key", b"k" * 300),
    (b"idempotency-key", b"\x01"),
    (b"if-match", b""),
    (b"if-match", b"*"),
    (b"if-match", b'"1", "2"'),
    (b"if-match", b'W/"1"'),
    (b"if-match", b'"' + b"9" * 30 + b'"'),
    (b"accept", b"image/png"),
    (b"accept", b"\xff"),
    (b"accept-language", b"xx;q=nan,\xff"),
    (b"x-forwarded-for", b"::1, \xff"),
    (b"x-request-id", b"\xff" * 80),
    (b"expect", b"100-continue"),
    (b"host", b"["),
    (b"host", b"\xff"),
    (b"host", b""),
    (b"cookie", b"\xff"),
    (b"x-http-method-override", b"DELETE"),
    (b"range", b"bytes=9-1"),
)
QUERIES = (
    b"dry_run=maybe",
    b"dry_run=true",
    b"dry_run=true&dry_run=false",
    b"%00=%00",
    b"limit=1&limit=2",
    b"\xff=%ff",
    b"?",
    b"community_id=1",
    b"=&&&",
    b"a" * 4000,
)
IDS = (
    b"%00",
    b"%ff%fe",
    b"..",
    b"%2e%2e",
    b"1",
    b"-1",
    b"9" * 40,
    b"00000000-0000-0000-0000-000000000000",
    b"%F0%A0%AE%B7",
)


@dataclass(frozen=True)
class RawRequest:
    """A request as bytes. `is_elsewhere` once its path need not lead to the operation that it was made for."""

    method: str
    path: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    is_elsewhere: bool = False

    def with_header(self, name: bytes, value: bytes) -> RawRequest:
        """The request with one header set anew."""
        others = tuple(header for header in self.headers if header[0] != name)
        return replace(self, headers=(*others, (name, value)))


def spoilt(sound: RawRequest, random: Random, bodies: Sequence[bytes]) -> RawRequest:
    """The request with one to three faults, most of them in its body; `bodies` are other requests' bodies."""
    request = sound
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind = random.random()
        if kind < 0.7:
            request = replace(request, body=random.choice(_of_bodies)(request.body, random, bodies))
        elif kind < 0.8:
            request = request.with_header(*random.choice(HEADERS))
        elif kind < 0.85:
            request = _packed(request, random)
        elif kind < 0.93:
            request = replace(request, path=request.path.partition(b"?")[0] + b"?" + random.choice(QUERIES))
        else:
            request = _led_astray(request, random)
    return request


def _packed(request: RawRequest, random: Random) -> RawRequest:
    """The body in another encoding, said or unsaid."""
    packed = random.choice((gzip.compress(request.body), request.body.decode("latin-1").encode("utf-16")))
    request = replace(request, body=packed)
    return request.with_header(b"content-encoding", b"gzip") if random.random() < 0.5 else request


def _led_astray(request: RawRequest, random: Random) -> RawRequest:
    path, _, query = request.path.partition(b"?")
    parts = path.split(b"/")
    parts[random.randrange(1, len(parts))] = random.choice((*IDS, quote(random.randbytes(6)).encode()))
    return replace(request, path=b"/".join(parts) + (b"?" + query if query else b""), is_elsewhere=True)


def _flipped(body: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    content = bytearray(body or b"{}")
    for _place in range(random.randint(1, 4)):
        content[random.randrange(len(content))] = random.randrange(256)
    return bytes(content)


def _cut(body: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    begin, end = sorted((random.randint(0, len(body)), random.randint(0, len(body))))
    return body[:begin] + body[end:]


def _doubled(body: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    begin, end = sorted((random.randint(0, len(body)), random.randint(0, len(body))))
    return body[:end] + body[begin:]


def _spliced(body: bytes, random: Random, bodies: Sequence[bytes]) -> bytes:
    other = random.choice(bodies)
    return body[: random.randint(0, len(body))] + other[random.randint(0, len(other)) :]


def _inserted(body: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(body))
    return body[:at] + random.choice((*LITERALS, random.randbytes(random.randint(1, 8)))) + body[at:]


def _revalued(body: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    """One member's value, wherever it stands, replaced by a literal: still JSON if the literal is."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return random.choice(LITERALS)
    marker = "a place for a literal"
    spots = list(_spots(value))
    if not spots:
        return random.choice(LITERALS)
    holder, step = random.choice(spots)
    holder[step] = marker
    return orjson.dumps(value).replace(orjson.dumps(marker), random.choice(LITERALS))


def _spots(value: Any) -> Iterator[tuple[Any, str | int]]:
    """Every place of a value: what holds it, and its name or number there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield value, step
        yield from _spots(one)


def _other(_: bytes, random: Random, bodies: Sequence[bytes]) -> bytes:
    return random.choice(
        (random.choice(bodies), random.randbytes(random.randint(0, 200)), b"", random.choice(LITERALS))
    )


_of_bodies: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    _flipped,
    _cut,
    _doubled,
    _spliced,
    _inserted,
    _revalued,
    _revalued,
    _other,
)
