"""The commands that need no database: anyone runs them, with public keys alone."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.console import fail, say
from app.kernel.keys import SigningKeyError, pem_of, private_key
from app.kernel.notes import NoteError, PublicKey, read_key, read_note
from app.kernel.notes import cosign as cosigned
from app.seals.offline import Checked, Keys, check, hold_against, read_keys

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


def witness_key(
    name: Annotated[str, typer.Argument(help="what the witness signs as, such as witness.example")],
    file: Annotated[Path, typer.Argument(help="where to write the private key; has to be a new file")],
) -> None:
    """Make a witness's key: the private half into a file for its owner alone, the public half printed to be named."""
    key = Ed25519PrivateKey.generate()
    public = PublicKey(name, key.public_key().public_bytes_raw(), is_witness=True)
    try:
        read_key(str(public))
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(pem_of(key))
    except NoteError:
        fail(f"{name!r} is no name: it has neither spaces nor plus signs.")
    except OSError as error:
        fail(f"{file} cannot be written ({error.strerror}).")
    say(str(public))


def cosign(
    file: Annotated[Path, typer.Argument(help="the checkpoint to sign, or the API's answer with it")],
    key: Annotated[Path, typer.Option(help="the witness's private key, as witness-key wrote it")],
    name: Annotated[str, typer.Option(help="what the witness signs as")],
    log_key: Annotated[str, typer.Option(help="the log's public key, or its file, as verify takes it")],
    last: Annotated[
        Path | None, typer.Option(help="where the checkpoint that was signed last is kept; made at the first time")
    ] = None,
    consistency: Annotated[
        Path | None, typer.Option(help="the API's answer that the checkpoint continues the last one")
    ] = None,
) -> None:
    """Sign a checkpoint as a witness does, if it continues the last one, and print what to hand in as JSON."""
    keys = keys_given([log_key])
    text = text_in(file).removeprefix("\ufeff")
    given = _held(file, check(text, keys))
    if [one.kind for one in given] != ["checkpoint"]:
        fail(f"{file} is not one checkpoint.")
    if last is not None and last.exists():
        kept = _held(last, check(text_in(last), keys))
        proofs = _held(consistency, check(text_in(consistency), keys)) if consistency else []
        _held(file, hold_against([*given, *proofs], kept))
        if any(one.facts["tree_size"] > given[0].facts["tree_size"] for one in kept):
            fail(f"{file} is of an earlier state than {last}.", 1)
    note = read_note(json.loads(text)["note"] if text.lstrip().startswith("{") else text.replace("\r\n", "\n"))
    try:
        signature = cosigned(private_key(text_in(key), "key"), name, note.text, int(time.time()))
    except SigningKeyError:
        fail(f"{key} holds no private key of a witness.")
    if last is not None:
        # Kept before anything is handed out: whoever is cut off here signs the same again.
        whole = last.with_name(f"{last.name}.new")
        whole.write_text(str(note), encoding="utf-8")
        whole.replace(last)
    say(json.dumps({"tree_size": given[0].facts["tree_size"], "signature": str(signature)}, ensure_ascii=True))


def _held(file: Path, checked: list[Checked]) -> list[Checked]:
    """What was checked, if all of it holds; else end with the first fault."""
    for one in checked:
        if not one.holds:
            fail(f"{file} was not signed: {one.facts['fault']}.", 1)
    return checked
