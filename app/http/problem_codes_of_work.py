"""Problem codes of the work behind the hours: activities, sign-ups, visits, clinics, teams, stalls and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http.problem_forms import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS_OF_WORK: Mapping[str, Problem] = {
    "activity-ended": Problem(
        409,
        "Activity ended",
        "The activity has ended: nothing is added to it, and it cannot end again.",
        "Create a new activity for what goes on.",
    ),
    "positions-full": Problem(
        409,
        "Positions full",
        "The activity has as many positions as one activity may have.",
        "Create another activity for the rest.",
    ),
    "series-ended": Problem(
        409,
        "Series ended",
        "The series ends on that day, or earlier, already.",
        "Give an earlier last day, or create a new series for what goes on.",
    ),
    "shift-begun": Problem(
        409,
        "Shift begun",
        "The shift has begun; only one that has not can be moved or skipped.",
        "Note in its attendance what became of it, and make a new shift if it is made up for.",
    ),
    "shift-skipped": Problem(
        409,
        "Shift skipped",
        "The shift was skipped and does not take place.",
        "Choose another shift, or make a new one.",
    ),
}
