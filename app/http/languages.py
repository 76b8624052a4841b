"""Which of the service's languages an `Accept-Language` header asks for (RFC 9110, section 12.5.4)."""

from __future__ import annotations

import re
from typing import Final, Literal

Language = Literal["zh-CN", "en"]

DEFAULT: Final[Language] = "zh-CN"
"""For whoever states no wish, or none that can be met: the language of the front desks."""

_of_prefix: dict[str, Language] = {"zh": "zh-CN", "en": "en", "*": DEFAULT}
_wish = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*[qQ]\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


def language_wished(accept_language: str) -> Language:
    """The language with the greatest weight, the first of equal ones; what cannot be read is passed over."""
    best, best_weight = DEFAULT, 0.0
    for part in accept_language.split(","):
        wish = _wish.fullmatch(part)
        if wish is None:
            continue
        language, weight = _of_prefix.get(wish[1].lower()), float(wish[2] or 1)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best
