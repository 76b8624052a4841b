"""Leaves out what needs a browser where there is none."""

from __future__ import annotations

from tests import chromium
from tests.programs import may_be_left_out

collect_ignore = ["test_page.py"] if may_be_left_out(chromium.absence()) else []
