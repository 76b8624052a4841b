"""Seals, pure: how checkpoints and proofs are written and read, after c2sp.org/tlog-checkpoint and tlog-proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.kernel.merkle import is_included
from app.kernel.notes import Note, NoteError, base64_of, bytes_of, hash_from, number_from, read_note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_proof_hashes_max = 64


class Checkpoint(NamedTuple):
    """A log at one size: the origin that it is known by, how many leaves its tree has, and the root over them."""

    origin: str
    tree_size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.tree_size}\n{base64_of(self.root)}\n"


class Sealed(NamedTuple):
    """A checkpoint as it is kept: its size, when it was sealed, the note, and the size of the one before it."""

    tree_size: int
    sealed_at: datetime
    note: str
    previous_size: int

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says."""
        return read_checkpoint(read_note(self.note))


class Proof(NamedTuple):
    """A proof that was taken apart: a leaf's place, the hashes on its way up, the checkpoint that they lead to.

    `extra` is what the leaf is said to stand for; nothing vouches for it but its hash.
    """

    place: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: Note
    extra: bytes | None

    def holds_for(self, leaf: bytes) -> bool:
        """Whether the leaf is where the proof says that it is."""
        return is_included(leaf, self.place, self.checkpoint.tree_size, self.hashes, self.checkpoint.root)


def read_checkpoint(note: Note) -> Checkpoint:
    """Read what a note says about a log. Raises `NoteError`."""
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        message = "a checkpoint is an origin, a size and a root, each on a line of its own"
        raise NoteError(message)
    return Checkpoint(lines[0], number_from(lines[1]), hash_from(lines[2]))


def proof_text(index: int, hashes: Sequence[bytes], note: str, *, extra: bytes | None = None) -> str:
    """Write a proof that the leaf at an index is in the tree of a checkpoint's note."""
    lines = [PROOF_HEADER]
    if extra is not None:
        lines.append(f"extra {base64_of(extra)}")
    lines.append(f"index {index}")
    lines += map(base64_of, hashes)
    return "\n".join([*lines, "", note])


def read_proof(text: str) -> Proof:
    """Take a proof apart. Raises `NoteError`."""
    head, gap, note_text = text.partition("\n\n")
    lines = head.split("\n")
    extra = None
    if not gap or lines.pop(0) != PROOF_HEADER:
        message = f"a proof begins with {PROOF_HEADER}"
        raise NoteError(message)
    if lines and lines[0].startswith("extra "):
        extra = bytes_of(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index ") or len(lines) > _proof_hashes_max + 1:
        message = "a proof names an index, and the hashes on the way from it to the root"
        raise NoteError(message)
    place = number_from(lines.pop(0).removeprefix("index "))
    note = read_note(note_text)
    return Proof(place, tuple(map(hash_from, lines)), read_checkpoint(note), note, extra)
