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
    "already-checked-in": InChinese(
        "已签到", "此人已经签到，或名单上已记为到场。", "离开时请签退；有误时由组织者在名单上更正。"
    ),
    "already-drawn": InChinese(
        "已抽签", "该班次已经抽过签，只抽一次。", "请查看抽签结果；现在来的，有空位就给，没有就候补。"
    ),
    "already-ended": InChinese(
        "已经结束",
        "这段服务、这次编队或这次派驻在那一天或更早就已结束。",
        "不必再办；要继续，请新建一段。结束日期只能提前，不能推后。",
    ),
    "already-in-team": InChinese(
        "已在其他服务队",
        "该队员在这段时间里已编入一支服务队，同一时间只能在一支队里。",
        "请先把原来的编队结束在新编队开始的前一天。",
    ),
    "already-posted": InChinese(
        "已派驻",
        "该服务队在这段时间里已派驻到一个社区，同一时间只能在一个社区。",
        "请先把原来的派驻结束在新派驻开始的前一天。",
    ),
    "already-signed-up": InChinese(
        "已报名", "此人在该班次已有名额、已在候补或已申请；或已长期报名该系列。", "不必再报；要换岗位，请先取消原报名。"
    ),
    "already-told": InChinese(
        "已经告知",
        "提出人已经得到告知。",
        "无需再做什么。",
    ),
    "attendance-closed": InChinese(
        "签到已截止", "班次结束已超过一小时，不能再签到或签退。", "请由组织者在名单上登记到场情况。"
    ),
    "attendance-incomplete": InChinese(
        "出勤信息不全",
        "不清楚此人是否到场、何时离开，或服务时间不满一分钟、超过二十四小时。",
        "请先在名单上登记完整，再提交。",
    ),
    "attendance-submitted": InChinese("出勤已提交", "该出勤已提交，不能再改。", "如有误，请更正由它生成的服务记录。"),
    "beneficiary-ended": InChinese(
        "服务已结束", "对这位服务对象的服务已经结束，资料不再改动。", "如需重新服务，请重新登记。"
    ),
    "beneficiary-erased": InChinese(
        "服务对象信息已删除",
        "服务对象的个人信息已应要求删除，无法恢复。",
        "为其做过的事仍然保留；重新接受服务请重新登记。",
    ),
    "cancellation-too-late": InChinese(
        "取消太晚", "离班次开始太近，本人已不能自行取消名额。", "请告知前台，由前台取消。"
    ),
    "draw-not-due": InChinese(
        "未到抽签时间", "该班次还没到抽签时间，在此之前都可以申请。", "请等到 `draws_at`，届时系统会自动抽签。"
    ),
    "escalation-closed": InChinese(
        "该情况已处理", "已有人处理并关闭了这条情况，不能重复关闭。", "无需再办；再有两次上门未遇，会重新提醒。"
    ),
    "feed-revoked": InChinese(
        "订阅已撤销", "这个日历订阅已经撤销过了，只能撤销一次。", "无需再操作；还要看日历的，请新建一个订阅。"
    ),
    "member-erased": InChinese(
        "队员信息已删除",
        "该队员的个人信息已经删除；在哪支队服务过仍按编号保留。",
        "不必再办；如果本人再来服务，请重新登记。",
    ),
    "need-erased": InChinese(
        "信息已删除",
        "这条诉求中的个人信息已经删除。",
        "无需再做什么；诉求及其结果仍然保留。",
    ),
    "need-not-decided": InChinese(
        "尚无结果",
        "这条诉求尚未处理或已撤回，没有可告知的内容。",
        "请先列入活动或给出答复。",
    ),
    "need-not-open": InChinese(
        "诉求已处理",
        "这条诉求已列入活动、已答复或已撤回。",
        "请查看这条诉求；如有新情况，请另行登记。",
    ),
    "no-shift-here": InChinese("此处没有您的班次", "您没有报上此处正在进行的班次。", "请查看自己的报名，或询问前台。"),
    "nobody-to-tell": InChinese(
        "无人可告知",
        "这条诉求登记时没有写明提出人。",
        "无需再做什么；下次请登记提出人。",
    ),
    "not-a-clinic": InChinese(
        "不是义诊",
        "只有义诊才登记人次，这个班次属于别的活动。",
        "请选择一次义诊的班次。",
    ),
    "not-checked-in": InChinese(
        "尚未签到", "没有签到，或已经签退，不能签退。", "请先签到；忘记的由组织者在名单上补记。"
    ),
    "not-posted-here": InChinese(
        "没有派驻到本社区",
        "该队员那一天所在的服务队没有派驻到本社区。",
        "请查看那一天派驻到本社区的服务队及其队员。",
    ),
    "overlapping-signup": InChinese(
        "时间冲突", "此人在同一时间的另一班次已有名额。", "请取消所指的那个报名，或选择其他班次。"
    ),
    "person-registered": InChinese(
        "提出人已登记",
        "提出人是登记的志愿者或服务对象，内容用其本人的密钥加密。",
        "请删除该人的个人信息，内容会一并删除。",
    ),
    "place-code-invalid": InChinese(
        "现场码无效", "这不是任何地点此刻显示的现场码。", "请重新读取现场码：它每三十秒更换一次。"
    ),
    "positions-full": InChinese("岗位已满", "一个活动的岗位数已达上限。", "其余岗位请另建一个活动。"),
    "qualification-missing": InChinese(
        "缺少资质", "该岗位要求的资质，志愿者在班次当天没有有效的核验记录。", "请在前台核验资质，或选择其他岗位。"
    ),
    "qualification-revoked": InChinese(
        "资格已撤销", "这项资格已经撤销过了，只能撤销一次。", "志愿者重新取得资格的，请另行登记。"
    ),
    "series-ended": InChinese(
        "系列已结束", "该系列的最后一天已定在这一天或更早。", "请给出更早的日期；如要继续，请新建一个系列。"
    ),
    "shift-begun": InChinese(
        "班次已开始", "班次已经开始，只有未开始的班次才能改期或取消。", "请在出勤里写明情况；要补做的，请新建班次。"
    ),
    "shift-not-begun": InChinese(
        "班次还没开始",
        "这个班次还没开始，还不能登记到场情况或人次；签到最早可提前一小时。",
        "请到时再来。",
    ),
    "shift-over": InChinese(
        "班次已过",
        "该班次已不能报名或取消：本人须在开始前报名，前台可在结束后十天内补报；取消须在开始前。",
        "请选择尚未开始的班次，或询问前台；已开始的班次，没来的人在考勤里记为请假或缺席。",
    ),
    "shift-skipped": InChinese("班次已取消", "该班次已取消，不再举行。", "请选择其他班次，或新建一个班次。"),
    "signup-not-open": InChinese("报名已失效", "该报名已取消或已释放。", "请查看该报名；要参加，请重新报名。"),
    "site-code-taken": InChinese("点位编号已用", "本社区已有点位使用这个编号。", "请换一个编号，或使用已有的点位。"),
    "too-many-feeds": InChinese(
        "订阅太多", "同一个日历的有效订阅地址已到上限，不能再建。", "请先撤销一个不用的订阅，再新建。"
    ),
    "unknown-activity": InChinese(
        "没有这个活动",
        "本社区没有这个编号的活动。",
        "请从活动列表里取编号。",
    ),
    "unknown-beneficiary": InChinese(
        "没有这位服务对象", "本社区没有这位服务对象，或已不再为其服务。", "请从服务对象列表里取编号，或先登记。"
    ),
    "unknown-community": InChinese("没有这个社区", "全市没有编号是这个的社区。", "请从社区列表中取 `community_id`。"),
    "unknown-department": InChinese(
        "没有这个部门", "全市没有编号是这个的部门。", "请从部门列表中取 `department_id`，或先新建部门。"
    ),
    "unknown-member": InChinese(
        "没有这名队员",
        "没有编号是这个的队员，或者其信息已经删除。",
        "请从队员列表中取 `member_id`，或先登记队员。",
    ),
    "unknown-partner": InChinese(
        "没有这个合作单位",
        "本社区没有编号是这个的合作单位。",
        "请从合作单位列表中取 `partner_id`，或先登记合作单位。",
    ),
    "unknown-position": InChinese("没有这个岗位", "该班次或系列的活动没有这个岗位。", "请从活动里取 `position_id`。"),
    "unknown-shift": InChinese("没有这个班次", "本社区没有这个班次。", "请从可报名班次列表里取 `shift_id`。"),
    "unknown-subject": InChinese(
        "没有这个订阅对象",
        "本社区没有这位志愿者，或者该服务队今天不在本社区，或者该场地没有活动。",
        "请从志愿者、在本社区的服务队或场地的列表里取编号。",
    ),
    "unknown-vendor": InChinese(
        "没有这位摊主", "本社区没有这位摊主：没有登记过，或已不再来摆摊。", "请从摊主名单中选取，或先登记。"
    ),
    "vendor-barred": InChinese(
        "摊主暂停申请",
        "这位摊主 60 天内两次拿到摊位却没有来，自第二次起 30 天内不能申请。",
        "请在 `until` 之后再申请；如果其实来了，请在前台更正出勤。",
    ),
    "vendor-ended": InChinese("摊主已退出", "这位摊主已登记为不再来摆摊，不能重复登记。", "如再来摆摊，请重新登记。"),
    "vendor-erased": InChinese(
        "摊主信息已删除", "摊主的个人信息已应要求删除，无法恢复。", "用过哪些摊位仍有记录；再来摆摊请重新登记。"
    ),
    "visit-in-vain": InChinese(
        "探访未成",
        "该次探访已登记为无人在家或不愿接待，与出勤不符。",
        "如果探访了，请先登记探访已完成；否则请在名单上登记没有人提供服务。",
    ),
    "visit-plan-ended": InChinese(
        "探访计划已结束", "该探访计划不再有新的探访，不能更换探访人。", "请新建一个探访计划。"
    ),
    "wrong-participant": InChinese("参与者类型不符", "该岗位是给另一类参与者的。", "请选择适合此类参与者的岗位。"),
}
