"""Programs that some tests need and that a machine may not have.

Where one is absent its tests are left out, and the run says so at its end; continuous integration needs them all.
"""

from __future__ import annotations

import os


def may_be_left_out(absence: str | None) -> bool:
    """Whether the tests that need a program are left out: it is absent, and this is not continuous integration."""
    return os.environ.get("CI") != "true" and absence is not None
