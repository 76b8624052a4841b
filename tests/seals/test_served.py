"""The page that checks offline, as the service hands it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.seals.page import PAGE

if TYPE_CHECKING:
    from tests.bank import Bank


async def test_anyone_gets_the_page_with_a_policy_that_shuts_it_off(bank: Bank) -> None:
    answer = await bank.http.get("/verify")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
