"""Problem codes of the work behind the hours: activities, sign-ups, visits, clinics, teams, stalls and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.http.problem_forms import Problem

PROBLEMS_OF_WORK: Mapping[str, Problem] = {}
