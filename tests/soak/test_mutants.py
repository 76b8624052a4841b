"""The list of planted bugs is sound: each has its one place, leaves Python that can be read, and has who catches it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.soak.catalogue import PARTS
from tests.soak.mutants import Mutant
from tests.soak.mutating import MUTANTS, PROJECT, Copy, Nursery, with_bug
from tests.soak.parts import BROKEN

if TYPE_CHECKING:
    from pathlib import Path


def test_there_are_enough_bugs_and_each_is_another() -> None:
    assert len(MUTANTS) >= 28
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant[1:] for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_has_its_one_place_in_the_service_and_a_part_that_is_to_catch_it(mutant: Mutant) -> None:
    assert mutant.file.startswith(("app/", "migrations/"))
    bugged = with_bug((PROJECT / mutant.file).read_text(encoding="utf-8"), mutant)
    ast.parse(bugged)
    (part,) = [one for one in PARTS if one.name == mutant.part]
    assert mutant.engine in part.engines


def test_a_bug_that_has_no_place_or_two_is_an_error() -> None:
    mutant = Mutant("any", "app/any.py", "wait", "go", "ledger")
    assert with_bug("now wait.", mutant) == "now go."
    for text in ("now go.", "wait, wait."):
        with pytest.raises(ValueError, match="times in"):
            with_bug(text, mutant)


def test_what_is_broken_is_told_from_a_service_that_does_not_start(tmp_path: Path) -> None:
    path = "app/ledger/rules.py"
    sound = (PROJECT / path).read_text(encoding="utf-8")
    catching, failing = (
        Mutant("a bug", path, "        if total:\n", "        if False:\n", "ledger"),
        Mutant("nonsense", path, "        if total:\n", "        if total is nowhere:\n", "ledger"),
    )
    with Nursery() as nursery:
        copy = Copy(tmp_path / "copy", nursery)
        for mutant, code in ((catching, BROKEN), (failing, 1)):
            with copy.planted(mutant):
                verdict = copy.run("ledger", "sqlite", 1, "--minutes", "0.01")
            assert verdict.code == code, verdict
            assert (tmp_path / "copy" / path).read_text(encoding="utf-8") == sound
