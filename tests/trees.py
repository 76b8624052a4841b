"""Roots of trees, worked out from all their leaves level by level, as the service never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.kernel.merkle import EMPTY_ROOT, node_hash

if TYPE_CHECKING:
    from collections.abc import Sequence


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Hash neighbouring subtrees of one level into their root, the last of which may be missing."""
    level = list(hashes) or [EMPTY_ROOT]
    while len(level) > 1:
        paired = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]
