"""One way for every keyed command: look the keys up, run the command over what is new, keep the answers.

Written for many, so that requests that arrive together can share a transaction; a single request is a list of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from app.kernel import idempotency, metrics
from app.kernel.errors import Refusal, Refused
from app.kernel.idempotency import Answer, IdempotencyKeyReused, Keyed
from app.kernel.receipts import receipt_for, with_receipt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from app.kernel.database import Session
    from app.kernel.rows import Read

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Submitter(Protocol):
    """Who may submit: a caller let through to a community."""

    @property
    def caller_id(self) -> str:
        """The caller's name, which keys are scoped to."""

    @property
    def community(self) -> int:
        """The community's small number (0: the city)."""

    @property
    def seen(self) -> Collection[int]:
        """The communities that its command looks at besides: the one that its right comes from among them."""

    def reads(self, dialect: str, others: Sequence[Self], /) -> Sequence[Read[Any]]:
        """What `withdrawn` will ask."""

    async def withdrawn(self, session: Session, others: Sequence[Self], /) -> Sequence[Refusal | None]:
        """For each of others: why it may not go on, if its right was withdrawn since its token was made."""


async def confirm(session: Session, submitter: Submitter) -> None:
    """Raise `Refused` if the submitter's right was withdrawn since its token was made."""
    (refusal,) = await submitter.withdrawn(session, [submitter])
    if refusal is not None:
        raise Refused(refusal)


@dataclass(frozen=True, slots=True)
class Submission(Generic[ItemT, ResultT]):
    """An item for a command, by whom and under which key it was sent, and how its result is written as an answer."""

    submitter: Submitter
    keyed: Keyed
    item: ItemT
    render: Callable[[ResultT], Answer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a submission, and whether it was given before."""

    answer: Answer
    replayed: bool


@dataclass(frozen=True, slots=True)
class Command(Generic[ItemT, ResultT]):
    """A use case over a list, with how its refusals are written as answers.

    `reads` gives questions that it is likely to ask, so that they can be asked together.
    """

    run: Callable[[Session, Sequence[ItemT]], Awaitable[Sequence[ResultT | Refusal]]]
    refuse: Callable[[Refusal], Answer]
    reads: Callable[[str, Sequence[ItemT]], Sequence[Read[Any]]] | None = None


async def carry_out_together(
    session: Session, asked: Sequence[tuple[Command[Any, Any], Submission[Any, Any]]]
) -> list[Outcome | Refusal]:
    """Carry out submissions of any commands: for each its outcome, or why its submitter may not go on any more."""
    submitters = [submission.submitter for _, submission in asked]
    ends: list[Outcome | Refusal | None] = list(await submitters[0].withdrawn(session, submitters))
    allowed = [place for place, end in enumerate(ends) if end is None]
    for command, of_command in _by_command(asked, allowed).items():
        outcomes = await carry_out(session, command, [asked[place][1] for place in of_command])
        for place, outcome in zip(of_command, outcomes, strict=True):
            ends[place] = outcome
    return [end for end in ends if end is not None]


def _by_command(
    asked: Sequence[tuple[Command[Any, Any], Submission[Any, Any]]], places: Iterable[int]
) -> dict[Command[Any, Any], list[int]]:
    by_command: dict[Command[Any, Any], list[int]] = {}
    for place in places:
        by_command.setdefault(asked[place][0], []).append(place)
    return by_command


def foreseen(dialect: str, asked: Sequence[tuple[Command[Any, Any], Submission[Any, Any]]]) -> list[Read[Any]]:
    """Give the questions that carrying these out is likely to ask, as if every submission was new and allowed."""
    submitters = [submission.submitter for _, submission in asked]
    reads = [*submitters[0].reads(dialect, submitters)]
    for command, places in _by_command(asked, range(len(asked))).items():
        reads.append(idempotency.known(dialect, [asked[place][1].keyed for place in places]))
        if command.reads is not None:
            reads += command.reads(dialect, [asked[place][1].item for place in places])
    return reads


async def carry_out(
    session: Session, command: Command[ItemT, ResultT], submissions: Sequence[Submission[ItemT, ResultT]]
) -> list[Outcome]:
    """Carry out submissions in order, each key once; the answers are rendered and stored before the commit."""
    known = await idempotency.known_answers(session, [submission.keyed for submission in submissions])
    new: dict[tuple[int, str, str], Submission[ItemT, ResultT]] = {}
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
    session: Session, command: Command[ItemT, ResultT], new: Sequence[Submission[ItemT, ResultT]]
) -> dict[Keyed, Answer]:
    results = await command.run(session, [submission.item for submission in new])
    answers: dict[Keyed, Answer] = {}
    for submission, result in zip(new, results, strict=True):
        if isinstance(result, Refusal):
            metrics.refusals.labels(result.code).inc()
            answers[submission.keyed] = command.refuse(result)
        else:
            answers[submission.keyed] = _receipted(session, submission.keyed.community, submission.render(result))
    await idempotency.keep_answers(session, list(answers.items()))
    return answers


def _receipted(session: Session, community: int, answer: Answer) -> Answer:
    """Add the receipt for what was posted for an answer, unless nothing of it will be."""
    if session.is_abandoned:
        return answer
    leaves = [leaf for reference in answer.posted for leaf in session.leaves.pop((community, reference), ())]
    if not leaves:
        return answer
    return replace(answer, body=with_receipt(answer.body, receipt_for(session.signer, community, leaves)), posted=())
