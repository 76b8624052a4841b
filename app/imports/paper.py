"""Reads the files of a paper trail: their encodings, their columns, their local times; what a row means is the API's.

Each row becomes the API's own model, so that what is invalid here is what is invalid there.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError

from app.communities.schemas import CommunityNew
from app.goods.schemas import GoodsNew
from app.hours.schemas import EarningRuleNew, ServiceFactsNew, ServiceKindNew
from app.http.fields import Day, Label, Moment, Name, Positive, Reference, RequestModel, Whole
from app.http.problems import faults_of
from app.kernel.errors import InvalidRequest
from app.volunteers.schemas import VolunteerNew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

RowT = TypeVar("RowT", bound=BaseModel)

_local = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?: (\d{1,2}):(\d{2}))?")


class UnreadablePaperError(Exception):
    """A file is missing, in no known encoding, or lacks a column: nothing of it can be imported."""


class CommunityPaper(CommunityNew):
    """`community.json`: the community with its service kinds and earning rules, named as in the API."""

    service_kinds: list[ServiceKindNew]
    earning_rules: list[EarningRuleNew]


class VolunteerPaper(RequestModel):
    """A row of `volunteers.csv`."""

    volunteer: VolunteerNew
    registered_on: Day


class RecordPaper(ServiceFactsNew):
    """A row of `service-records.csv`: the volunteer is named by phone, and the recorder has to be named."""

    reference: Reference
    phone: Label
    recorder_name: Name


class GoodsPaper(RequestModel):
    """A row of `goods.csv`: an article and the pieces on its shelf."""

    goods: GoodsNew
    pieces: Whole


class RedemptionPaper(RequestModel):
    """A row of `redemptions.csv`: goods that were handed over at the counter."""

    reference: Reference
    phone: Label
    goods: Label = Field(description="the article's code")
    quantity: Positive
    occurred_at: Moment


@dataclass(frozen=True, slots=True)
class PaperRow(Generic[RowT]):
    """A row as read: its line in the file (the header is line 1), and the model or why there is none."""

    file: str
    line: int
    parsed: RowT | InvalidRequest


def read_community(folder: Path) -> CommunityPaper:
    """Read `community.json`. Raises `UnreadablePaperError`."""
    try:
        return CommunityPaper.model_validate(orjson.loads(_text(folder / "community.json")))
    except (orjson.JSONDecodeError, ValidationError) as error:
        message = f"community.json: {error}"
        raise UnreadablePaperError(message) from None


def read_volunteers(folder: Path, zone: ZoneInfo) -> list[PaperRow[VolunteerPaper]]:
    """Read `volunteers.csv`. Registration on paper was the consent, given on that local day."""
    columns = "姓名 手机号 身份证号 政治面貌 所在小区 登记日期 同意书版本 监护人 监护人手机号"

    def fields(row: dict[str, str]) -> dict[str, Any]:
        moment = _moment(row["登记日期"], zone)
        guardian = _given({"name": row["监护人"], "phone": row["监护人手机号"]})
        volunteer = _given(
            {
                "name": row["姓名"],
                "phone": row["手机号"],
                "id_number": row["身份证号"],
                "political_status": row["政治面貌"],
                "estate": row["所在小区"],
                "consent": _given({"version": row["同意书版本"], "given_at": moment}),
                "guardian": guardian or None,
            }
        )
        registered_on = moment.date() if isinstance(moment, datetime) else moment
        return {"volunteer": volunteer, "registered_on": registered_on}

    return list(_rows(folder / "volunteers.csv", columns, VolunteerPaper, fields))


def read_records(folder: Path, zone: ZoneInfo) -> list[PaperRow[RecordPaper]]:
    """Read `service-records.csv`."""
    columns = "流水号 手机号 服务类型 活动名称 服务地点 服务内容 组织单位 开始时间 结束时间 服务时长(分钟) 记录人"

    def fields(row: dict[str, str]) -> dict[str, Any]:
        return _given(
            {
                "reference": row["流水号"],
                "phone": row["手机号"],
                "service_kind": row["服务类型"],
                "activity_name": row["活动名称"],
                "place": row["服务地点"],
                "content": row["服务内容"],
                "organiser": row["组织单位"],
                "started_at": _moment(row["开始时间"], zone),
                "ended_at": _moment(row["结束时间"], zone),
                "minutes": _whole(row["服务时长(分钟)"]),
                "recorder_name": row["记录人"],
            }
        )

    return list(_rows(folder / "service-records.csv", columns, RecordPaper, fields))


def read_goods(folder: Path) -> list[PaperRow[GoodsPaper]]:
    """Read `goods.csv`."""
    columns = "商品编号 名称 规格 所需积分 库存 每人每月限兑"

    def fields(row: dict[str, str]) -> dict[str, Any]:
        goods = _given(
            {
                "code": row["商品编号"],
                "name": row["名称"],
                "specification": row["规格"],
                "points_price": _whole(row["所需积分"]),
                "limit_per_person": _whole(row["每人每月限兑"]),
                "limit_period": "month",
            }
        )
        return {"goods": goods, "pieces": _whole(row["库存"])}

    return list(_rows(folder / "goods.csv", columns, GoodsPaper, fields))


def read_redemptions(folder: Path, zone: ZoneInfo) -> list[PaperRow[RedemptionPaper]]:
    """Read `redemptions.csv`."""
    columns = "流水号 手机号 商品编号 数量 兑换时间"

    def fields(row: dict[str, str]) -> dict[str, Any]:
        return _given(
            {
                "reference": row["流水号"],
                "phone": row["手机号"],
                "goods": row["商品编号"],
                "quantity": _whole(row["数量"]),
                "occurred_at": _moment(row["兑换时间"], zone),
            }
        )

    return list(_rows(folder / "redemptions.csv", columns, RedemptionPaper, fields))


def _rows(
    path: Path, columns: str, model: type[RowT], fields: Callable[[dict[str, str]], dict[str, Any]]
) -> Iterator[PaperRow[RowT]]:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    missing = [name for name in columns.split() if name not in (reader.fieldnames or ())]
    if missing:
        message = f"{path.name}: the columns {', '.join(missing)} are missing"
        raise UnreadablePaperError(message)
    line = reader.line_num + 1
    for row in reader:
        texts = {name: (row[name] or "").strip() for name in columns.split()}
        parsed: RowT | InvalidRequest
        try:
            parsed = model.model_validate(fields(texts))
        except ValidationError as error:
            parsed = InvalidRequest(errors=faults_of(error.errors()))
        yield PaperRow(path.name, line, parsed)
        line = reader.line_num + 1


def _text(path: Path) -> str:
    """Decode a file in either of the encodings in which front desks save: UTF-8 (with or without BOM) or GB18030."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise UnreadablePaperError(message) from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"{path.name}: neither UTF-8 nor GB18030"
    raise UnreadablePaperError(message)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the paper leaves empty."""
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _moment(text: str, zone: ZoneInfo) -> datetime | str:
    """Read a local time such as `2025-03-08 14:00` or `2025/3/8 14:00`; anything else stays text, and is refused."""
    match = _local.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=zone)
    except ValueError:
        return text


def _whole(text: str) -> int | str:
    """Read a whole number; anything else stays text, and is refused."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else text
