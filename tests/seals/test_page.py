"""The page that checks offline comes to the verdicts of the command line, and asks nobody anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from app.kernel.keys import pem_of
from app.kernel.notes import NoteError, Signer
from app.kernel.receipts import receipt_for
from app.seals.offline import read_keys
from app.seals.page import PAGE
from tests import chromium
from tests.seals.cases import BAD_KEYS, CHECKPOINT, COMMUNITY, GOOD, KEY, LOG, PROOF, RECEIPT, SPOILT, Case
from tests.seals.kept import KEPT, NOT_KEPT, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.chromium import Browser, Page

pytestmark = pytest.mark.xdist_group("chromium")

_policy_tag = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
_result = """
new Promise((done) => {
  const found = document.getElementById("checked");
  const look = () => found.textContent && done(found.textContent);
  new MutationObserver(look).observe(found, { childList: true });
  look();
})
"""
_pasted = """
new Promise((done) => {
  const given = %s, outcome = document.getElementById("outcome");
  for (const name of ["text", "keys", "kept"]) document.getElementById(name).value = given[name];
  new MutationObserver(() => outcome.textContent && done(document.querySelector("section").innerText))
    .observe(outcome, { childList: true });
  document.getElementById("go").click();
})
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page as a file."""
    file = tmp_path_factory.mktemp("page") / "verify.html"
    file.write_text(PAGE, encoding="utf-8")
    return file.as_uri()


def seen_by_page(cases: Mapping[str, Case], browser: Browser, file: str) -> dict[str, Any]:
    """What the page finds in each case, by name; they are handed over behind its address."""
    handed = json.dumps([case._asdict() for case in cases.values()], ensure_ascii=False)
    page = browser.open(f"{file}#check={base64.urlsafe_b64encode(handed.encode()).decode()}")
    return dict(zip(cases, json.loads(page.ask(_result)), strict=True))


def seen_by_python(case: Case) -> Any:
    """What the command line finds in a case."""
    try:
        keys = read_keys(case.keys)
    except NoteError as error:
        return {"fault": str(error)}
    return [{"kind": one.kind, "holds": one.holds, "facts": one.facts} for one in seen(case, keys)]


def alike(value: Any) -> Any:
    """What was found, with numbers as text: the page has sizes as text, since JavaScript would round large ones."""
    if isinstance(value, dict):
        return {name: alike(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [alike(inner) for inner in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else f"{value:.17g}"


def shown(page: Page, case: Case) -> str:
    """The words that the page shows whoever pastes a case and presses the button."""
    given = json.dumps({"text": case.text, "keys": "\n".join(case.keys), "kept": case.kept or ""})
    return " ".join(str(page.ask(_pasted % given)).split())


def test_page_and_command_line_find_the_same_in_everything(browser: Browser, file: str) -> None:
    keys = {f"as a key, {name}": Case(RECEIPT, (key,)) for name, key in BAD_KEYS.items()}
    cases = {**GOOD, **KEPT, **SPOILT, **NOT_KEPT, **keys}
    by_page = seen_by_page(cases, browser, file)
    assert alike(by_page) == {name: alike(seen_by_python(case)) for name, case in cases.items()}
    assert all(one["holds"] for name in (*GOOD, *KEPT) for one in by_page[name])
    assert not any(all(one["holds"] for one in by_page[name]) for name in (*SPOILT, *NOT_KEPT))


def test_page_takes_no_private_key(browser: Browser, file: str) -> None:
    by_page = seen_by_page({"private": Case(RECEIPT, (pem_of(KEY),))}, browser, file)
    assert by_page == {"private": {"fault": "this is a private key: it belongs nowhere but to its owner"}}


def test_page_says_in_plain_words_what_a_proof_proves(browser: Browser, file: str) -> None:
    words = shown(browser.open(file), Case(PROOF))
    for told in ("√ 1 项全部成立", "第 3 条确实在", "存入时长与积分", "志愿者的可用积分", "+15 积分", "45 积分"):
        assert told in words


def test_page_shows_what_it_checked_as_text_and_never_as_markup(browser: Browser, file: str) -> None:
    markup = Signer(KEY, "<img/src=x>")
    page = browser.open(file)
    words = shown(page, Case(receipt_for(markup, COMMUNITY, [(2, LOG.leaves[1])])))
    assert "<img/src=x>/communities/7" in words
    assert "√ 1 项全部成立" in words
    assert page.ask("document.querySelectorAll('img').length") == 0


def test_page_holds_a_proof_against_what_was_kept(browser: Browser, file: str) -> None:
    words = shown(browser.open(file), Case(PROOF, kept=CHECKPOINT))
    assert "√ 2 项全部成立" in words
    assert "与留存凭证对照" in words
    words = shown(browser.open(file), Case(PROOF, kept=LOG.checkpoint(3)))
    assert "要有从 3 到 7 的延续证明" in words


def test_page_says_why_something_does_not_hold(browser: Browser, file: str) -> None:
    words = shown(browser.open(file), SPOILT["a transaction in another's place"])
    assert "1 项中有 1 项不成立" in words
    assert "这一笔自称的编号与它在账本里的位置不符" in words


@pytest.mark.parametrize(
    "lacking",
    [
        "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('no Ed25519', 'NotSupportedError'); }",
        "SubtleCrypto.prototype.verify = async () => true",
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })",
    ],
)
def test_page_says_so_and_claims_nothing_where_the_browser_checks_no_signatures(
    lacking: str, browser: Browser, file: str
) -> None:
    page = browser.open(f"{file}#check={base64.b64encode(b'[]').decode()}", before=lacking)
    page.ask("new Promise((done) => setTimeout(done, 200))")
    assert "此处无法验证" in page.ask("document.body.innerText")
    assert page.ask("[document.getElementById('go').disabled, document.getElementById('checked').textContent]") == [
        True,
        "",
    ]


def test_policy_allows_the_one_script_and_the_one_style_and_nothing_else() -> None:
    (policy,) = _policy_tag.findall(PAGE)
    allowed = {}
    for name in ("script", "style"):
        (text,) = re.findall(f"<{name}>(.*?)</{name}>", PAGE, re.DOTALL)
        allowed[name] = f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert policy == (
        f"default-src 'none'; script-src {allowed['script']}; style-src {allowed['style']}; connect-src 'none';"
        " base-uri 'none'; form-action 'none'"
    )


def test_page_names_nothing_outside_of_itself() -> None:
    assert re.findall(r"\w+:/|\b(?:src|href|srcset|action)=|url\(|@import|import\(|fetch|XMLHttp|WebSocket", PAGE) == []


@contextmanager
def serving(page: str) -> Iterator[tuple[str, list[str]]]:
    """A web server that has the page everywhere: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing: what was asked for is kept."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_page_asks_nobody_for_anything_even_when_something_was_planted_in_it(browser: Browser) -> None:
    planted = PAGE.replace("<footer>", '<img src="/image"><script src="/script"></script><footer>')
    found = {}
    for name, page in {"as it is": planted, "without its policy": _policy_tag.sub("", planted)}.items():
        with serving(page) as (address, asked):
            browser.open(f"{address}/verify")
        found[name] = sorted(asked)
    assert found["as it is"] == ["/verify"]
    assert {"/image", "/script", "/verify"} <= set(found["without its policy"])
