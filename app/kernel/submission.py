"""One way for every keyed command: look the keys up, run the command over what is new, keep the answers.

Written for many, so that requests that arrive together can share a transaction; a single request is a list of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from app.kernel import idempotency, metrics
from app.kernel.errors import Refusal
from app.kernel.idempotency import Answer, IdempotencyKeyReused, Keyed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.kernel.database import Session

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Submission(Generic[ItemT]):
    """An item for a command and the key it was sent under."""

    keyed: Keyed
    item: ItemT


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a submission, and whether it was given before."""

    answer: Answer
    replayed: bool


@dataclass(frozen=True, slots=True)
class Command(Generic[ItemT, ResultT]):
    """A use case over a list, with how its results and its refusals are written as answers."""

    run: Callable[[Session, Sequence[ItemT]], Awaitable[Sequence[ResultT | Refusal]]]
    render: Callable[[ResultT], Answer]
    refuse: Callable[[Refusal], Answer]


async def carry_out(
    session: Session, command: Command[ItemT, ResultT], submissions: Sequence[Submission[ItemT]]
) -> list[Outcome]:
    """Carry out submissions in order, each key once; the answers are rendered and stored before the commit."""
    known = await idempotency.known_answers(session, [submission.keyed for submission in submissions])
    new: dict[tuple[int, str, str], Submission[ItemT]] = {}
    for submission in submissions:
        if submission.keyed not in known:
            new.setdefault(submission.keyed[:3], submission)
    answers = await _run_new(session, command, list(new.values())) if new else {}
    outcomes = []
    for submission in submissions:
        first = new.get(submission.keyed[:3])
        if first is submission:
            outcomes.append(Outcome(answers[submission.keyed], replayed=False))
            continue
        earlier: Answer | Refusal
        if first is None:
            earlier = known[submission.keyed]
        else:
            earlier = answers[first.keyed].again() if first.keyed == submission.keyed else IdempotencyKeyReused()
        outcomes.append(
            Outcome(command.refuse(earlier), replayed=False)
            if isinstance(earlier, Refusal)
            else Outcome(earlier, replayed=earlier.kept)
        )
    return outcomes


async def _run_new(
    session: Session, command: Command[ItemT, ResultT], new: Sequence[Submission[ItemT]]
) -> dict[Keyed, Answer]:
    results = await command.run(session, [submission.item for submission in new])
    answers: dict[Keyed, Answer] = {}
    for submission, result in zip(new, results, strict=True):
        if isinstance(result, Refusal):
            metrics.refusals.labels(result.code).inc()
            answers[submission.keyed] = command.refuse(result)
        else:
            answers[submission.keyed] = command.render(result)
    await idempotency.keep_answers(session, list(answers.items()))
    return answers
