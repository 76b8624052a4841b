"""The commands that need no database: anyone runs them, with public keys alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.console import fail, say
from app.kernel.notes import NoteError
from app.seals.offline import Keys, check, hold_against, read_keys

_name_bytes_max = 255


def verify(
    file: Annotated[Path, typer.Argument(help="a receipt, a proof, a checkpoint, or an answer of the API with these")],
    key: Annotated[
        list[str], typer.Option(help="public key, or its file: PEM, base64 or name+id+base64; more for witnesses")
    ],
    against: Annotated[
        list[Path] | None, typer.Option(help="a checkpoint that you kept: whether the file is of that log; repeatable")
    ] = None,
) -> None:
    """Check a file with nothing but public keys; print what it says as JSON lines, and exit with 1 if it is wrong."""
    keys = keys_given(key)
    checked = check(text_in(file), keys)
    if against:
        checked += hold_against(checked, [one for kept in against for one in check(text_in(kept), keys)])
    # A terminal without Unicode gets the escapes of JSON, which say the same.
    is_narrow = sys.stdout.encoding.lower() != "utf-8"
    for one in checked:
        say(json.dumps({"kind": one.kind, "holds": one.holds, **one.facts}, ensure_ascii=is_narrow))
    raise typer.Exit(0 if all(one.holds for one in checked) else 1)


def keys_given(texts: list[str]) -> Keys:
    """Read keys that were given as they are, or as the names of files with them; a fault is a sentence."""
    try:
        return read_keys(map(_key_text, texts))
    except NoteError as error:
        fail(f"The key was not taken: {error}.")


def _key_text(text: str) -> str:
    """What a file has, if one has this name. A PEM is none, and too long to ask the file system about."""
    if "\n" in text or len(text.encode(errors="surrogateescape")) > _name_bytes_max or not Path(text).is_file():
        return text
    return text_in(Path(text))


def text_in(file: Path) -> str:
    """Read a file, or standard input (`-`), as UTF-8, whatever the terminal's language is; a fault is a sentence."""
    name = "Standard input" if str(file) == "-" else str(file)
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except OSError as error:
        fail(f"{name} cannot be read ({error.strerror}).")
    except UnicodeDecodeError:
        fail(f"{name} cannot be read (it is not UTF-8).")
