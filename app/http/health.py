"""Routes for those who run the service, and the explanations of problems."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict

from app.http.context import ContextDep  # noqa: TC001  FastAPI reads the annotations of routes at run time
from app.http.languages import Language, language_wished
from app.http.operations import ANYONE, operation
from app.http.problem_codes import PROBLEMS
from app.http.problem_codes_zh import PROBLEMS_ZH
from app.http.routes import Router
from app.kernel.errors import NotFound, Refused, Unavailable
from app.kernel.revisions import current_revision, expected_revision

router = Router(tags=["operations"])


class HealthModel(BaseModel):
    """Whether the service works, and if not what is missing."""

    model_config = ConfigDict(title="Health")

    status: str
    missing: str | None = None


class ProblemExplained(BaseModel):
    """What a problem's code means and what to do about it."""

    code: str
    status: int
    language: Language
    title: str
    meaning: str
    remedy: str


@router.get("/livez", response_model=HealthModel, **operation(roles=ANYONE, summary="Is the process alive"))
async def get_livez() -> HealthModel:
    """The process runs, whatever its database does."""
    return HealthModel(status="ok")


_ready = operation(roles=ANYONE, summary="Can requests be served")
_ready["responses"][503] = {"model": HealthModel, "description": "Not now; `missing` says why."}


@router.get("/readyz", response_model=HealthModel, **_ready)
async def get_readyz(context: ContextDep) -> Response:
    """The database answers and has the revision that this version needs; 503 says what is missing."""
    expected = expected_revision()
    try:
        async with context.database.look() as session:
            current = await current_revision(session)
    except Unavailable:
        current, missing = None, "the database does not answer"
    else:
        missing = f"migration {expected}: the database has {current or 'none'}; run `python -m app migrate`"
    ready = current == expected
    health = HealthModel(status="ok" if ready else "unavailable", missing=None if ready else missing)
    headers = {} if ready else {"Retry-After": str(Unavailable.retry_after_s)}
    return Response(health.model_dump_json(), 200 if ready else 503, headers, "application/json")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    **operation(roles=ANYONE, summary="Read the metrics", problems=["not-found"]),
)
async def get_metrics(context: ContextDep) -> Response:
    """Counts and times in Prometheus' text format; nothing when the setting is off."""
    if not context.settings.metrics:
        raise Refused(NotFound(resource="page"))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


_explained = operation(roles=ANYONE, summary="Explain a problem's code", problems=["not-found"])
_explained["responses"][200] = {
    "description": "The explanation, in Chinese or English.",
    "headers": {
        "Content-Language": {"description": "its language", "schema": {"type": "string", "enum": ["zh-CN", "en"]}},
        "Vary": {"description": "that caches keep one for each language", "schema": {"type": "string"}},
    },
}


@router.get("/problems/{code}", response_model=ProblemExplained, **_explained)
async def get_problem(
    code: Annotated[str, Path(max_length=100)],
    response: Response,
    accept_language: Annotated[str, Header(description="the languages you read; without any, Chinese")] = "",
) -> ProblemExplained:
    """What a problem means and what to do about it, in Chinese (zh-CN) or in English, as `Accept-Language` asks."""
    if code not in PROBLEMS:
        raise Refused(NotFound(resource="problem"))
    language = language_wished(accept_language)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    status, *english = PROBLEMS[code]
    title, meaning, remedy = english if language == "en" else PROBLEMS_ZH[code]
    return ProblemExplained(code=code, status=status, language=language, title=title, meaning=meaning, remedy=remedy)
