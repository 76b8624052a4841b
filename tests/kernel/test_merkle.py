"""The tree against the recursive definitions of RFC 6962, for every size up to 130, and against spoilt proofs."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import merkle
from app.kernel.merkle import Frontier, Node
from tests.trees import root_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

SIZES = 130
DATA = [f"leaf {number}".encode() for number in range(SIZES)]
LEAVES = [merkle.leaf_hash(data) for data in DATA]
KEPT = {Node(0, index): leaf for index, leaf in enumerate(LEAVES)}


def power_below(number: int) -> int:
    """The largest power of two smaller than a number."""
    power = 1
    while power * 2 < number:
        power *= 2
    return power


def tree_hash(data: Sequence[bytes]) -> bytes:
    """MTH of section 2.1, as it is written there."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    half = power_below(len(data))
    return hashlib.sha256(b"\x01" + tree_hash(data[:half]) + tree_hash(data[half:])).digest()


def audit_path(index: int, data: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.1, as it is written there."""
    if len(data) == 1:
        return []
    half = power_below(len(data))
    if index < half:
        return [*audit_path(index, data[:half]), tree_hash(data[half:])]
    return [*audit_path(index - half, data[half:]), tree_hash(data[:half])]


def sub_proof(old: int, data: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.2, as it is written there."""
    if old == len(data):
        return [] if whole else [tree_hash(data)]
    half = power_below(len(data))
    if old <= half:
        return [*sub_proof(old, data[:half], whole=whole), tree_hash(data[half:])]
    return [*sub_proof(old - half, data[half:], whole=False), tree_hash(data[:half])]


def hashes(parts: Sequence[merkle.Part]) -> list[bytes]:
    return [merkle.hash_of(part, KEPT) for part in parts]


ROOTS = [tree_hash(DATA[:size]) for size in range(SIZES + 1)]


def test_a_growing_tree_has_the_root_of_the_definition_at_every_size() -> None:
    frontier = Frontier()
    assert frontier.root() == ROOTS[0] == merkle.EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, 1):
        frontier.append(leaf)
        assert (frontier.size, frontier.root()) == (size, ROOTS[size])
        again = Frontier(size, merkle.hashes_of((0, size), KEPT))
        assert again.root() == ROOTS[size] == root_of(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_the_inclusion_of_every_leaf_is_proved_as_defined_and_holds(size: int) -> None:
    for index in range(size):
        proof = hashes(merkle.inclusion_parts(index, size))
        assert proof == audit_path(index, DATA[:size])
        assert merkle.is_included(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("new", range(1, SIZES + 1))
def test_consistency_with_every_smaller_tree_is_proved_as_defined_and_holds(new: int) -> None:
    for old in range(1, new + 1):
        proof = hashes(merkle.consistency_parts(old, new))
        assert proof == sub_proof(old, DATA[:new], whole=True)
        assert merkle.is_consistent(old, new, proof, ROOTS[old], ROOTS[new])


def spoilt(proof: list[bytes], random: Random) -> list[list[bytes]]:
    """The proof with one hash changed, left out, doubled, added, and two exchanged."""
    found = [[*proof, random.randbytes(32)], [random.randbytes(32), *proof]]
    if proof:
        place = random.randrange(len(proof))
        changed = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        found += [[*proof[:place], changed, *proof[place + 1 :]], proof[:place] + proof[place + 1 :]]
        found.append([*proof[: place + 1], *proof[place:]])
    found += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at, _ in enumerate(pairwise(proof))]
    return found


@given(st.data())
def test_no_spoilt_proof_of_inclusion_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZES))
    index = data.draw(st.integers(0, size - 1))
    random = data.draw(st.randoms(use_true_random=False))
    proof = hashes(merkle.inclusion_parts(index, size))
    for wrong in spoilt(proof, random):
        assert not merkle.is_included(LEAVES[index], index, size, wrong, ROOTS[size])
    assert not merkle.is_included(random.randbytes(32), index, size, proof, ROOTS[size])
    assert not merkle.is_included(LEAVES[index], index, size, proof, random.randbytes(32))
    for other in {index - 1, index + 1, random.randrange(size), -1, size} - {index}:
        assert not merkle.is_included(LEAVES[index], other, size, proof, ROOTS[size])


@given(st.data())
def test_no_spoilt_proof_of_consistency_holds(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, SIZES))
    old = data.draw(st.integers(1, new))
    random = data.draw(st.randoms(use_true_random=False))
    proof = hashes(merkle.consistency_parts(old, new))
    for wrong in spoilt(proof, random):
        assert not merkle.is_consistent(old, new, wrong, ROOTS[old], ROOTS[new])
    assert not merkle.is_consistent(old, new, proof, random.randbytes(32), ROOTS[new])
    assert not merkle.is_consistent(old, new, proof, ROOTS[old], random.randbytes(32))
    assert not merkle.is_consistent(new + 1, new, proof, ROOTS[old], ROOTS[new])


def test_only_the_empty_tree_is_consistent_with_everything() -> None:
    assert merkle.is_consistent(0, 5, [], merkle.EMPTY_ROOT, ROOTS[5])
    assert not merkle.is_consistent(0, 5, [], ROOTS[1], ROOTS[5])
    assert not merkle.is_consistent(-1, 5, [], merkle.EMPTY_ROOT, ROOTS[5])


def test_nodes_kept_at_every_eighth_level_are_enough_for_proofs_in_a_larger_tree() -> None:
    size = 2**16 + 2**9 + 300
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    kept, frontier = {Node(0, index): leaf for index, leaf in enumerate(leaves)}, Frontier()
    for leaf in leaves:
        kept |= frontier.append(leaf)
    assert {node.level for node in kept} == {0, 8, 16}
    assert len(kept) == size + size // 256 + 1
    root = frontier.root()
    assert root == root_of(leaves)
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        parts = merkle.inclusion_parts(index, size)
        spans = merkle.spans_of(parts)
        assert sum(span.end - span.first for span in spans) < 3 * 2**merkle.TILE_LEVELS * 2
        needed = {Node(span.level, at): kept[Node(span.level, at)] for span in spans for at in range(span[1], span[2])}
        proof = [merkle.hash_of(part, needed) for part in parts]
        assert merkle.is_included(leaves[index], index, size, proof, root)
    for old in (1, 256, 65_536, 65_537, size - 1):
        parts = merkle.consistency_parts(old, size)
        proof = [merkle.hash_of(part, kept) for part in parts]
        assert merkle.is_consistent(old, size, proof, root_of(leaves[:old]), root)
