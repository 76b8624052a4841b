"""What the problem codes of the work behind the hours mean, in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.http.problem_forms import InChinese

PROBLEMS_OF_WORK_ZH: Mapping[str, InChinese] = {}
