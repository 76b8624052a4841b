"""A check of Schemathesis's: whatever it makes up is sent by everybody else as well, not only by who may call it.

Schemathesis loads this as its hooks, in a process of its own; the callers stand in its configuration.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from schemathesis import Case, CheckContext, Response

_judges = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
"""What holds for an answer whoever is given it: a refusal is right where it is documented."""

_answer_seconds_max = 5.0
_again_every = 4


@schemathesis.check
class EveryCaller:
    """Sends the first case of an operation as every caller, and every fourth later one as who had the fewest."""

    def __init__(self, callers: dict[str, dict[str, str]], calls: str) -> None:
        """Callers by name, each with the headers it sends, and the file for what they were answered."""
        self._callers, self._file = callers, Path(calls)
        self._calls: defaultdict[str, dict[str, Counter[int]]] = defaultdict(
            lambda: {caller: Counter() for caller in callers}
        )
        self._cases: Counter[str] = Counter()

    def after_response(self, ctx: CheckContext, _response: Response, case: Case[Any]) -> None:
        """Send the case again; raises `AssertionError` when an answer is not what the description allows."""
        if case.method.upper() != case.operation.method.upper():
            # It tries a method that the path does not have, and so no operation.
            return
        operation = str(case.operation.definition.raw["operationId"])
        calls = self._calls[operation]
        self._cases[operation] += 1
        unsent = [caller for caller in calls if not calls[caller]]
        if not unsent and self._cases[operation] % _again_every:
            return
        fewest = min(calls, key=lambda caller: calls[caller].total())
        for caller in unsent or [fewest]:
            again = self._by(caller, case)
            answer = again.call(timeout=_answer_seconds_max)
            calls[caller][answer.status_code] += 1
            _judge(ctx, caller, answer, again)

    def _by(self, caller: str, case: Case[Any]) -> Case[Any]:
        headers = case.headers.copy()
        headers.pop("Authorization", None)
        headers.update(self._callers[caller])
        return case.derive(headers=headers)

    def after_run(self, _ctx: CheckContext) -> None:
        """Tell how often who was answered what, by the operations' names."""
        told = {
            operation: {caller: {str(status): count for status, count in found.items()} for caller, found in by.items()}
            for operation, by in self._calls.items()
        }
        self._file.write_bytes(orjson.dumps(told))


def _judge(ctx: CheckContext, caller: str, answer: Response, case: Case[Any]) -> None:
    for judge in _judges:
        try:
            judge(ctx, answer, case)
        except (Failure, FailureGroup) as failure:
            message = f"called by {caller}: {failure}\n{answer.status_code} {answer.text}\n{case.as_curl_command()}"
            raise AssertionError(message) from failure
