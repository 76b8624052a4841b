"""`python -m app`."""

from __future__ import annotations

import sys

# The commands that run for long start, and stay, without what the others need.
if sys.argv[1:2] in (["serve"], ["worker"]):
    from app.serving import cli
else:
    from app.cli import cli

cli(prog_name="python -m app")
