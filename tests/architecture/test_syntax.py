"""Rules that the syntax tree can tell: who ends transactions, who asks the time, and how large a thing may grow."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

from app.access.guard import admit
from app.http.operations import ANYONE
from app.main import ROUTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.dependencies.models import Dependant

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
APP = sorted((ROOT / "app").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
ALL = [*APP, *sorted((ROOT / "migrations").rglob("*.py")), *TESTS, ROOT / "dev.py"]

ENDS_TRANSACTIONS = {"begin", "begin_nested", "commit", "rollback"}
# The first owns the transactions of requests, jobs and commands; the second runs migrations, which nothing else does.
OWNERS = {"app/kernel/channels.py", "app/kernel/migrating.py"}
IMPURE = {
    *("now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "sleep"),
    *("uuid1", "uuid4", "uuid7", "new_id", "random", "randint", "choice", "token_hex", "urandom", "open", "print"),
}
LEAVES_TESTS_OUT = {"skip", "skipif", "xfail", "importorskip"}
# In two halves, so that this file does not break its own rule.
PUT_OFF = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")


def name_of(path: Path) -> str:
    """The path as the repository's readers know it."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The name of everything that is called, without what it is a part of, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id, node.lineno


def called_in(paths: list[Path], names: set[str]) -> list[str]:
    """Where one of the names is called, as `file:line name`."""
    return [f"{name_of(path)}:{line} {name}" for path in paths for name, line in calls(tree_of(path)) if name in names]


def test_transactions_begin_and_end_in_one_place() -> None:
    assert called_in([path for path in APP if name_of(path) not in OWNERS], ENDS_TRANSACTIONS) == []
    assert called_in([path for path in APP if name_of(path) in OWNERS], ENDS_TRANSACTIONS) != []


def test_rules_ask_neither_the_time_nor_chance() -> None:
    rules = [path for path in APP if path.name in {"rules.py", "risks.py"}]
    assert len(rules) > 5
    assert called_in(rules, IMPURE) == []


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def guards(dependant: Dependant) -> bool:
    """Whether a route, or something it depends on, asks the guard."""
    return dependant.call is admit or any(guards(inner) for inner in dependant.dependencies)


def test_every_route_names_its_roles_and_asks_the_guard_unless_it_is_for_anyone() -> None:
    found = routes()
    assert len(found) > 30
    for route in found:
        assert route.openapi_extra, route.path
        assert route.openapi_extra["x-roles"], route.path
        assert guards(route.dependant) == (tuple(route.openapi_extra["x-roles"]) != ANYONE), route.path


def test_every_route_of_a_feature_is_served() -> None:
    """A router that nobody includes would be tested by nothing that starts from the app."""
    files = [path for path in APP if path.name.endswith("api.py")]
    defined = {
        name
        for path in files
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.AsyncFunctionDef) and any(is_route(one) for one in node.decorator_list)
        for name in [node.name]
    }
    assert defined
    assert defined - {route.name for route in routes()} == set()


def is_route(decorator: ast.expr) -> bool:
    """Whether this is `@router.get(…)` or one of its kind."""
    methods = {"get", "post", "put", "patch", "delete"}
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", None) in methods


def test_no_file_grows_beyond_four_hundred_lines() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL}
    assert len(lengths) > 150
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_no_function_grows_beyond_sixty_lines() -> None:
    lengths = {
        f"{name_of(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in ALL
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX} == {}


def test_nothing_is_put_off() -> None:
    assert [name_of(path) for path in ALL if PUT_OFF.search(path.read_text(encoding="utf-8"))] == []


def test_no_test_is_left_out() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in LEAVES_TESTS_OUT and "pytest" in ast.unparse(node.value)
    ]
    assert found == []


def test_every_folder_of_code_is_a_package_that_says_what_it_is() -> None:
    for folder in {path.parent for path in [*APP, *TESTS]}:
        package = folder / "__init__.py"
        assert package.exists(), name_of(folder)
        assert ast.get_docstring(tree_of(package)), name_of(package)
