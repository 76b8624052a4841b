"""A key makes a request happen once: its first answer is kept in the commit of its effect and given again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

import pytest

from app.kernel import persons
from app.kernel.errors import Refusal
from app.kernel.events import Event, append, read_after
from app.kernel.idempotency import Answer, Keyed, forget_answers, keep_answers, known_answers
from app.kernel.submission import Command, Outcome, Submission, carry_out
from app.kernel.vault import InvalidTag
from tests.kernel.grounds import Desk, as_owner, open_communities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import TestClock

PERSON = UUID("0195d0e2-7b6a-7c3d-8e4f-5a6b7c8d9e0f")
BODY = '{"name":"邓阿姨 𠮷","note":"\\u0000 \\"quoted\\"  spaced","n":1.10}'.encode()


@dataclass(frozen=True, slots=True)
class Closed(Refusal):
    """A final refusal."""

    code: ClassVar[str] = "closed"

    @property
    def detail(self) -> str:
        return "It is closed."


@dataclass(frozen=True, slots=True)
class Malformed(Refusal):
    """A refusal that a corrected request cures."""

    code: ClassVar[str] = "malformed"
    kept: ClassVar[bool] = False

    @property
    def detail(self) -> str:
        return "It is malformed."


async def announce_all(session: Session, items: Sequence[str]) -> list[str | Refusal]:
    """Announce every item but those called closed or malformed: events show what happened, and how often."""
    refusals: dict[str, Refusal] = {"closed": Closed(), "malformed": Malformed()}
    await append(session, [Event(1, item, {}) for item in items if item not in refusals])
    return [refusals.get(item, item) for item in items]


def render(item: str) -> Answer:
    if item == "secret":
        return Answer(201, b'{"secret":"once"}', kept_body=b'{"secret":null}')
    if item == "person":
        return Answer(201, BODY, location="/v1/persons/1", person=PERSON)
    return Answer(201, BODY + item.encode(), location=f"/v1/things/{item}")


def refuse(refusal: Refusal) -> Answer:
    return Answer(409, refusal.code.encode(), kept=refusal.kept)


COMMAND = Command(announce_all, refuse)


def submission(
    item: str, key: str = "key-1", *, caller: str = "1-desk", request: str | None = None
) -> Submission[str, str]:
    return Submission(Desk(caller, 1), Keyed(1, caller, key, f"hash of {request or item}"), item, render)


async def submit(database: Database, *submissions: Submission[str, str]) -> list[Outcome]:
    async def work(session: Session) -> list[Outcome]:
        return await carry_out(session, COMMAND, submissions)

    return await database.run([1], work)


async def happened(database: Database) -> list[str]:
    async with database.read(1) as session:
        return [event.type for event in await read_after(session, 1, after=0, limit=100)]


@pytest.fixture
async def ready(database: Database) -> Database:
    """A database with the community 1 and a person in it."""
    await open_communities(database, 1)
    async with database.write(1) as session:
        await persons.make_keys(session, [(1, PERSON)])
    return database


def shown(outcome: Outcome) -> tuple[int, bytes, str | None, bool]:
    """What the caller gets."""
    return outcome.answer.status, outcome.answer.body, outcome.answer.location, outcome.replayed


async def test_a_repeat_gets_the_first_answer_byte_for_byte_and_nothing_happens_again(ready: Database) -> None:
    (first,) = await submit(ready, submission("towel"))
    (again,) = await submit(ready, submission("towel"))
    assert shown(first) == (201, BODY + b"towel", "/v1/things/towel", False)
    assert shown(again) == (201, BODY + b"towel", "/v1/things/towel", True)
    assert await happened(ready) == ["towel"]


async def test_a_key_used_for_another_request_is_refused_and_its_first_answer_stays(ready: Database) -> None:
    await submit(ready, submission("towel"))
    (reused,) = await submit(ready, submission("soap"))
    assert shown(reused) == (409, b"idempotency-key-reused", None, False)
    (again,) = await submit(ready, submission("towel"))
    assert again.replayed
    assert await happened(ready) == ["towel"]


async def test_the_same_key_of_another_caller_is_another_key(ready: Database) -> None:
    outcomes = [
        *await submit(ready, submission("towel", caller="1-desk")),
        *await submit(ready, submission("soap", caller="1-manager")),
    ]
    assert [outcome.replayed for outcome in outcomes] == [False, False]
    assert await happened(ready) == ["towel", "soap"]


async def test_the_same_key_in_another_community_is_another_key(ready: Database) -> None:
    await open_communities(ready, 2)
    here, there = submission("towel").keyed, Keyed(2, "1-desk", "key-1", "hash of soap")
    async with ready.write(1, 2) as session:
        await keep_answers(session, [(here, Answer(201, b"here")), (there, Answer(201, b"there"))])
    async with ready.read(1, 2) as session:
        known = await known_answers(session, [here, there])
    assert known == {here: Answer(201, b"here"), there: Answer(201, b"there")}


async def test_a_final_refusal_is_kept_and_told_again(ready: Database) -> None:
    outcomes = [*await submit(ready, submission("closed")), *await submit(ready, submission("closed"))]
    assert [shown(outcome) for outcome in outcomes] == [(409, b"closed", None, False), (409, b"closed", None, True)]


async def test_a_refusal_that_can_be_cured_leaves_its_key_free(ready: Database) -> None:
    await submit(ready, submission("malformed"))
    (corrected,) = await submit(ready, submission("towel"))
    assert shown(corrected)[0::3] == (201, False)
    assert await happened(ready) == ["towel"]


async def test_a_refusal_that_can_be_cured_is_no_replay_within_a_batch_either(ready: Database) -> None:
    outcomes = await submit(ready, submission("malformed"), submission("malformed"))
    assert [shown(outcome) for outcome in outcomes] == [(409, b"malformed", None, False)] * 2


async def test_one_key_several_times_in_a_batch_happens_once(ready: Database) -> None:
    outcomes = await submit(
        ready, submission("towel"), submission("soap", "key-2"), submission("towel"), submission("rice"),
        submission("towel"),
    )  # fmt: skip
    assert [(outcome.answer.status, outcome.replayed) for outcome in outcomes] == [
        (201, False),
        (201, False),
        (201, True),
        (409, False),
        (201, True),
    ]
    assert outcomes[0].answer == outcomes[2].answer == outcomes[4].answer
    assert outcomes[3].answer.body == b"idempotency-key-reused"
    assert await happened(ready) == ["towel", "soap"]


async def test_known_and_new_keys_in_one_batch_are_answered_in_their_places(ready: Database) -> None:
    await submit(ready, submission("towel", "key-1"))
    outcomes = await submit(
        ready, submission("soap", "key-2"), submission("towel", "key-1"), submission("rice", "key-1")
    )
    assert [shown(outcome)[1:4:2] for outcome in outcomes] == [
        (BODY + b"soap", False),
        (BODY + b"towel", True),
        (b"idempotency-key-reused", False),
    ]
    assert await happened(ready) == ["towel", "soap"]


async def test_a_secret_is_shown_once_and_never_stored(ready: Database, settings: Settings) -> None:
    (first, beside) = await submit(ready, submission("secret"), submission("secret"))
    (again,) = await submit(ready, submission("secret"))
    assert first.answer.body == b'{"secret":"once"}'
    assert again.answer.body == beside.answer.body == b'{"secret":null}'
    assert as_owner(settings, "SELECT body FROM idempotency_answers") == [('{"secret":null}',)]


async def test_an_answer_that_names_a_person_is_stored_sealed_and_given_again_as_it_was(
    ready: Database, settings: Settings
) -> None:
    (first,) = await submit(ready, submission("person"))
    ((stored,),) = as_owner(settings, "SELECT body FROM idempotency_answers")
    assert "邓阿姨" not in stored
    assert "quoted" not in stored
    (again,) = await submit(ready, submission("person"))
    assert (again.answer, again.replayed) == (first.answer, True)
    assert again.answer.body == BODY


async def test_an_answer_about_an_erased_person_is_gone_but_its_request_stays_done(
    ready: Database, settings: Settings
) -> None:
    await submit(ready, submission("person"), submission("towel", "key-2"))
    as_owner(settings, "DELETE FROM person_keys")
    (erased,) = await submit(ready, submission("person"))
    assert shown(erased) == (409, b"idempotency-answer-erased", None, False)
    (other,) = await submit(ready, submission("towel", "key-2"))
    assert other.replayed
    assert await happened(ready) == ["person", "towel"]


async def test_a_sealed_answer_opens_under_its_own_key_alone(ready: Database, settings: Settings) -> None:
    await submit(ready, submission("person", "key-1"), submission("person", "key-2"))
    swap = "UPDATE idempotency_answers SET body = (SELECT body FROM idempotency_answers WHERE key = 'key-1')"
    as_owner(settings, swap)
    (right,) = await submit(ready, submission("person", "key-1"))
    assert right.answer.body == BODY
    with pytest.raises(InvalidTag):
        await submit(ready, submission("person", "key-2"))


async def test_a_forgotten_answer_is_expired_but_its_request_stays_done(ready: Database, clock: TestClock) -> None:
    await submit(ready, submission("towel", "key-1"))
    clock.move(days=1)
    await submit(ready, submission("soap", "key-2"))
    async with ready.write(1) as session:
        assert await forget_answers(session, 1, before=session.now(1)) == 1
        assert await forget_answers(session, 1, before=session.now(1) - timedelta(days=9)) == 0
    (expired,) = await submit(ready, submission("towel", "key-1"))
    assert shown(expired) == (409, b"idempotency-answer-expired", None, False)
    (reused,) = await submit(ready, submission("rice", "key-1"))
    assert reused.answer.body == b"idempotency-key-reused"
    (kept,) = await submit(ready, submission("soap", "key-2"))
    assert kept.replayed
    assert await happened(ready) == ["towel", "soap"]


async def test_forgetting_answers_of_one_community_leaves_those_of_another(ready: Database, clock: TestClock) -> None:
    await open_communities(ready, 2)
    here, there = submission("towel").keyed, Keyed(2, "1-desk", "key-1", "hash of soap")
    async with ready.write(1, 2) as session:
        await keep_answers(session, [(here, Answer(201, b"here")), (there, Answer(201, b"there"))])
    clock.move(days=1)
    async with ready.write(1, 2) as session:
        assert await forget_answers(session, 1, before=session.now(1)) == 1
    async with ready.read(1, 2) as session:
        assert (await known_answers(session, [there]))[there] == Answer(201, b"there")


async def test_a_key_whose_transaction_failed_is_free(ready: Database) -> None:
    async def fails(session: Session) -> None:
        await carry_out(session, COMMAND, [submission("towel")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ready.run([1], fails)
    (first,) = await submit(ready, submission("towel"))
    assert not first.replayed
    assert await happened(ready) == ["towel"]


async def test_a_dry_run_leaves_its_key_free(ready: Database) -> None:
    async def dry(session: Session) -> list[Outcome]:
        session.abandon()
        return await carry_out(session, COMMAND, [submission("towel")])

    (tried,) = await ready.run([1], dry)
    (done,) = await submit(ready, submission("towel"))
    assert (tried.replayed, done.replayed) == (False, False)
    assert tried.answer == done.answer
