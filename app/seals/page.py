"""The page that checks receipts, proofs and checkpoints offline, as it is served: the file as it is, and its policy."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

PAGE = Path(__file__).with_name("verify.html").read_text(encoding="utf-8")
"""The page: one file, which works as well without the service."""


def _policy() -> str:
    """What the page allows itself, and that nobody shows it in a frame, which a page cannot say by itself."""
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', PAGE)
    if found is None:
        message = "the page has no policy"
        raise ValueError(message)
    return f"{unescape(found[1])}; frame-ancestors 'none'"


HEADERS = {
    "Content-Security-Policy": _policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The headers that it is served with."""
