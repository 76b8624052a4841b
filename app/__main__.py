"""`python -m app`."""

from __future__ import annotations

import gc
import sys

# What modules are made of stays: looking through it for garbage, again and again, is lost time.
gc.disable()
# The commands that run for long start, and stay, without what the others need.
if sys.argv[1:2] in (["serve"], ["worker"]):
    from app.serving import cli
else:
    from app.cli import cli
gc.freeze()
gc.enable()

cli(prog_name="python -m app")
