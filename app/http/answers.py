"""Answers whose JSON stands already: sent as they are, on whichever way the request came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = b"application/json"

Header = tuple[bytes, bytes]


class ReadyAnswer(Response):
    """A response of given bytes. It spares what a `Response` does to find out how to write them."""

    def __init__(
        self, body: bytes, *, status: int = 200, headers: Sequence[Header] = (), media_type: bytes = JSON
    ) -> None:
        """Take the body, and headers with names in lower case."""
        self.body = body
        self.status_code = status
        self.background = None
        length = b"%d" % len(body)
        self.raw_headers = [*headers, (b"content-length", length), (b"content-type", media_type)]
