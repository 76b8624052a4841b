"""What the problem codes of the work behind the hours mean, in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http.problem_forms import InChinese

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS_OF_WORK_ZH: Mapping[str, InChinese] = {
    "activity-ended": InChinese(
        "活动已结束", "该活动已经结束，不能再添加内容，也不能再次结束。", "如要继续，请新建一个活动。"
    ),
    "positions-full": InChinese("岗位已满", "一个活动的岗位数已达上限。", "其余岗位请另建一个活动。"),
    "series-ended": InChinese(
        "系列已结束", "该系列的最后一天已定在这一天或更早。", "请给出更早的日期；如要继续，请新建一个系列。"
    ),
    "shift-begun": InChinese(
        "班次已开始", "班次已经开始，只有未开始的班次才能改期或取消。", "请在出勤里写明情况；要补做的，请新建班次。"
    ),
    "shift-skipped": InChinese("班次已取消", "该班次已取消，不再举行。", "请选择其他班次，或新建一个班次。"),
}
