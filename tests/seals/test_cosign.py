"""A witness signs by hand or by cron, with no database, and nothing that does not continue what it signed last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.kernel.notes import read_key, read_note, read_signature, signed_by
from tests.conftest import run_cli
from tests.seals.cases import BARE, LOG, Log

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def test_a_witness_signs_what_continues_what_it_signed_last_and_nothing_else(tmp_path: Path) -> None:
    key, last, file, proof = (tmp_path / name for name in ("key", "last", "checkpoint", "consistency"))

    def sign(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        file.write_text(text, encoding="utf-8")
        given = ("--key", str(key), "--name", "witness.example", "--log-key", BARE, "--last", str(last))
        return run_cli("cosign", str(file), *given, *arguments)

    made = run_cli("witness-key", "witness.example", str(key))
    public = read_key(made.stdout.strip())
    assert (public.name, public.is_witness, key.stat().st_mode & 0o777) == ("witness.example", True, 0o600)
    assert run_cli("witness-key", "witness.example", str(key)).returncode == 2
    assert run_cli("witness-key", "a witness", str(tmp_path / "other")).returncode == 2
    first = json.loads(sign(LOG.checkpoint(3)).stdout)
    note = read_note(LOG.checkpoint(3))
    assert first["tree_size"] == 3
    assert signed_by(note._replace(signatures=(read_signature(first["signature"]),)), [public]) == [public]
    assert sign(LOG.checkpoint(3)).returncode == 0
    proof.write_text(json.dumps(LOG.consistency(3, 7)), encoding="utf-8")
    fork = Log([b"another", *LOG.entries[1:]])
    for text in (LOG.checkpoint(7), LOG.checkpoint(2), fork.checkpoint(3), "any words"):
        refused = sign(text)
        assert (refused.returncode, refused.stdout) == (1, ""), text
    assert sign(fork.checkpoint(7), "--consistency", str(proof)).returncode == 1
    assert last.read_text(encoding="utf-8") == LOG.checkpoint(3)
    grown = sign(json.dumps(LOG.shown(7)), "--consistency", str(proof))
    assert json.loads(grown.stdout)["tree_size"] == 7
    proof.write_text(json.dumps(LOG.consistency(3, 7)), encoding="utf-8")
    assert sign(LOG.checkpoint(3), "--consistency", str(proof)).returncode == 1
    assert last.read_text(encoding="utf-8") == LOG.checkpoint(7)
