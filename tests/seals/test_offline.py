"""What holds and what does not, by the verifier of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.kernel.keys import pem_of
from app.kernel.notes import NoteError
from app.seals.offline import check, read_keys
from tests.conftest import run_cli
from tests.seals.cases import (
    BAD_KEYS,
    BARE,
    CHECKPOINT,
    GOOD,
    KEY,
    LOG,
    PROOF,
    SPOILT,
    STRANGER,
    WITNESS,
    WITNESSED,
    Case,
    flipped,
    misplaced,
)
from tests.seals.kept import KEPT, NOT_KEPT, seen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in {**GOOD, **KEPT}.items()])
def test_what_the_service_writes_holds(case: Case) -> None:
    checked = seen(case, read_keys(case.keys))
    assert checked
    assert [one.facts for one in checked if not one.holds] == []


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in {**SPOILT, **NOT_KEPT}.items()])
def test_what_was_spoilt_does_not_hold(case: Case) -> None:
    assert not all(one.holds for one in seen(case, read_keys(case.keys)))


@pytest.mark.parametrize("key", [pytest.param(key, id=name) for name, key in BAD_KEYS.items()])
def test_what_is_no_key_is_not_taken(key: str) -> None:
    with pytest.raises(NoteError):
        read_keys([key])


def test_a_witness_is_named_only_where_its_key_was_given() -> None:
    (known,) = check(WITNESSED, read_keys([BARE, WITNESS]))
    (unknown,) = check(WITNESSED, read_keys([BARE]))
    assert (known.facts["witnesses"], unknown.facts["witnesses"]) == (["witness.example"], [])


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        ("a transaction in another's place", "the transaction says that it has another number"),
        ("a transaction in another community's log", "the transaction says that it is of another community"),
    ],
)
def test_a_transaction_is_only_where_it_says_that_it_is(case: str, fault: str) -> None:
    (checked,) = check(SPOILT[case].text, read_keys([BARE]))
    assert checked.facts["fault"].startswith(fault)


def test_a_proof_says_what_its_transaction_moved() -> None:
    (checked,) = check(PROOF, read_keys([BARE]))
    assert checked.facts["number"] == checked.facts["stands_for"]["number"] == 3
    assert [posting[2] for posting in checked.facts["stands_for"]["postings"]] == [-15, 15]


def test_the_command_line_says_what_holds_and_exits_with_1_where_something_does_not(tmp_path: Path) -> None:
    file, key = tmp_path / "checkpoint", tmp_path / "key"
    key.write_text(BARE, encoding="utf-8")
    file.write_text(CHECKPOINT, encoding="utf-8")
    right = run_cli("verify", str(file), "--key", str(key))
    file.write_text(flipped(CHECKPOINT), encoding="utf-8")
    wrong = run_cli("verify", str(file), "--key", BARE)
    assert (right.returncode, json.loads(right.stdout)["holds"]) == (0, True)
    assert (wrong.returncode, json.loads(wrong.stdout)["holds"]) == (1, False)


def test_keys_are_given_on_the_command_line_however_long_they_are(tmp_path: Path) -> None:
    file, folder, no_text = tmp_path / "checkpoint", tmp_path / "folder", tmp_path / "no-text"
    file.write_bytes(b"\xef\xbb\xbf" + CHECKPOINT.encode())
    folder.mkdir()
    no_text.write_bytes(b"\xff")
    pems = pem_of(STRANGER._key.public_key()) * 2 + pem_of(KEY.public_key())  # noqa: SLF001
    assert run_cli("verify", str(file), "--key", pems).returncode == 0
    for wrong in (BARE * 9, str(folder)):
        refused = run_cli("verify", str(file), "--key", wrong)
        assert (refused.returncode, refused.stderr[:22]) == (2, "The key was not taken:")
    refused = run_cli("verify", str(file), "--key", str(no_text))
    assert (refused.returncode, refused.stderr) == (2, f"{no_text} cannot be read (it is not UTF-8).\n")


@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_what_cannot_be_read_is_a_sentence_in_every_language_of_the_terminal(language: str, tmp_path: Path) -> None:
    def run(file: str, given: bytes = b"") -> tuple[int, str]:
        """The status, and what stands on standard error."""
        ended = subprocess.run(
            [sys.executable, "-m", "app", "verify", file, "--key", BARE],
            env={**os.environ, "LC_ALL": language, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            input=given,
            capture_output=True,
            check=False,
        )
        return ended.returncode, ended.stderr.decode()

    assert run("-", b"\xff\xfe") == (2, "Standard input cannot be read (it is not UTF-8).\n")
    assert run("-", misplaced("李佳儒".encode()).encode()) == (0, "")
    assert run(str(tmp_path)) == (2, f"{tmp_path} cannot be read (Is a directory).\n")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a proof against a fork", "at size 7 it is another log than the one that was kept"),
        ("a later checkpoint against an earlier one", "it takes the proof of consistency from 3 to 7 to tell whether"),
        ("a receipt against a checkpoint", "nothing in it says which state the log points.example/communities/7"),
        ("a checkpoint against a receipt", "what was kept holds no checkpoint"),
        ("a checkpoint against what does not hold", "what was kept does not hold: the signature of"),
    ],
)
def test_what_contradicts_a_kept_checkpoint_or_says_nothing_of_it_is_told_in_words(name: str, fault: str) -> None:
    *_, last = seen(NOT_KEPT[name], read_keys([BARE]))
    assert last.facts["fault"].startswith(fault)


def test_the_command_line_holds_a_file_against_what_was_kept(tmp_path: Path) -> None:
    file, kept = tmp_path / "consistency", tmp_path / "kept"
    file.write_text(json.dumps(LOG.consistency(3, 7)), encoding="utf-8")
    kept.write_text(LOG.checkpoint(3), encoding="utf-8")
    arguments = ("verify", str(file), "--key", BARE, "--against", str(kept))
    right = run_cli(*arguments)
    kept.write_text(LOG.checkpoint(4), encoding="utf-8")
    loose = run_cli(*arguments)
    assert (right.returncode, [json.loads(line)["kind"] for line in right.stdout.splitlines()]) == (
        0,
        ["consistency", "kept"],
    )
    assert (loose.returncode, json.loads(loose.stdout.splitlines()[-1])["holds"]) == (1, False)
