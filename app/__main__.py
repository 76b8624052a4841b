"""`python -m app`."""

from __future__ import annotations

from app.cli import cli

cli(prog_name="python -m app")
