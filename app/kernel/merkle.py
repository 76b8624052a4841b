"""The Merkle tree of RFC 6962, section 2.1, over SHA-256: roots, proofs, and their checks (RFC 9162, 2.1.3 and 2.1.4).

A leaf here is its hash already. Nothing here stores anything: what a root or a proof needs is named as nodes, and who
keeps these hands them in. Nodes are kept at every eighth level alone, a 255th of what there are: the others are worked
out from at most 128 of those below.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TILE_LEVELS = 8
"""Nodes of these levels' multiples are kept."""

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""


class Node(NamedTuple):
    """A complete subtree: its height above the leaves, and which of its level it is, from 0."""

    level: int
    place: int


class Span(NamedTuple):
    """Neighbouring nodes of one kept level, from `first` up to and without `end`."""

    level: int
    first: int
    end: int


def leaf_hash(data: bytes) -> bytes:
    """Hash what a leaf stands for."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one that they make."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the complete subtrees that it is made of, the largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Begin with a tree of so many leaves, and the hashes of `peaks_of(size)`."""
        self.size = size
        self._peaks = list(peaks)

    def copy(self) -> Frontier:
        """Give the same edge, to grow by itself."""
        return Frontier(self.size, self._peaks)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf, and give the kept nodes above the leaves that it completes."""
        completed = []
        current, node = leaf, Node(0, self.size)
        while node.place % 2:
            current, node = node_hash(self._peaks.pop(), current), Node(node.level + 1, node.place // 2)
            if node.level % TILE_LEVELS == 0:
                completed.append((node, current))
        self._peaks.append(current)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Give the root."""
        return _folded(self._peaks)


def _folded(peaks: Sequence[bytes]) -> bytes:
    """Hash complete subtrees, each smaller than the one before, from the right."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def peaks_of(size: int, first: int = 0) -> list[Node]:
    """Name the complete subtrees that leaves `first` up to `size` are made of; `first` begins a subtree that large."""
    peaks, place = [], first
    while place < size:
        level = (size - place).bit_length() - 1
        peaks.append(Node(level, place >> level))
        place += 1 << level
    return peaks


Part = tuple[int, int]
"""A subtree of a proof: its first leaf, and the one after its last."""


def inclusion_parts(index: int, size: int) -> list[Part]:
    """Name the subtrees whose hashes prove that leaf `index` is in a tree of `size`, from the leaf up (2.1.1)."""
    parts: list[Part] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _largest_power_below(end - first)
        if index < middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((first, middle))
            first = middle
    return parts[::-1]


def consistency_parts(old: int, new: int) -> list[Part]:
    """Name the subtrees whose hashes prove that a tree of `new` leaves begins with one of `old` (2.1.2)."""
    parts: list[Part] = []
    first, end, whole = 0, new, True
    while old != end:
        middle = first + _largest_power_below(end - first)
        if old <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((first, middle))
            first, whole = middle, False
    if not whole:
        parts.append((first, end))
    return parts[::-1]


def _largest_power_below(number: int) -> int:
    return 1 << ((number - 1).bit_length() - 1)


def spans_of(parts: Iterable[Part]) -> set[Span]:
    """Name the kept nodes that the hashes of subtrees are worked out from."""
    return {_span(peak) for first, end in parts for peak in peaks_of(end, first)}


def _span(node: Node) -> Span:
    kept = node.level - node.level % TILE_LEVELS
    shift = node.level - kept
    return Span(kept, node.place << shift, (node.place + 1) << shift)


def hash_of(part: Part, known: dict[Node, bytes]) -> bytes:
    """Work out the hash of a subtree from kept nodes. Raises `KeyError` where one of `spans_of` is missing.

    What is worked out between the kept nodes is added to `known`, so that proofs of one tree share it.
    """
    return _folded(hashes_of(part, known))


def hashes_of(part: Part, known: dict[Node, bytes]) -> list[bytes]:
    """Work out the hashes of the complete subtrees that a part is made of, as `hash_of` does. Raises `KeyError`."""
    return [_worked_out(peak, known) for peak in peaks_of(part[1], part[0])]


def _worked_out(node: Node, known: dict[Node, bytes]) -> bytes:
    found = known.get(node)
    if found is None:
        level, place = node.level - 1, node.place * 2
        if node.level % TILE_LEVELS == 0:
            raise KeyError(node)
        left, right = (_worked_out(Node(level, one), known) for one in (place, place + 1))
        found = known[node] = node_hash(left, right)
    return found


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf stands at an index of the tree with this size and root."""
    if not 0 <= index < size:
        return False
    place, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            current = node_hash(sibling, current)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and current == root


def is_consistent(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether a proof shows that the tree of `new` leaves with its root begins with the one of `old` leaves."""
    if not 0 < old <= new:
        return old == 0 and not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    of_old = of_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            of_old, of_new = node_hash(sibling, of_old), node_hash(sibling, of_new)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root
