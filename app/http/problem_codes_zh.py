"""What each problem code means and what to do about it, in Chinese; the front desks' language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http.problem_codes_of_work_zh import PROBLEMS_OF_WORK_ZH
from app.http.problem_forms import InChinese

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS_ZH: Mapping[str, InChinese] = {
    "already-disputed": InChinese("已在申诉中", "志愿者已就此提出申诉，尚未答复。", "请等待答复，或先撤回再重新提出。"),
    "already-exists": InChinese(
        "已经存在", "本社区已有使用这个代码的同类资源。", "请换一个代码，或直接使用已有的资源。"
    ),
    "already-registered": InChinese(
        "已经登记",
        "本社区已有志愿者用这个手机号或身份证号登记，"
        "或已有姓名、电话、住址都相同的服务对象，或已有摊主用这个手机号登记；不告知是谁。",
        "请先在名单里查找，再决定是否登记。",
    ),
    "already-reversed": InChinese("已经冲正", "这笔交易冲正过了，最多只能冲正一次。", "不必再做；请查看冲正交易。"),
    "already-verified": InChinese(
        "已经审核", "这条服务记录已有结论：通过、驳回或已更正。", "请查看记录；已通过的可由管理员更正。"
    ),
    "already-witnessed": InChinese("已经见证", "该见证人已签过这份封账凭证。", "无需再做什么，读取该凭证即可。"),
    "balance-out-of-bounds": InChinese(
        "超出余额界限", "这次变动会使账户低于下限或高于上限。", "请先查询余额，不要超出它允许的数额。"
    ),
    "body-too-large": InChinese("请求体过大", "请求体超过本服务接受的长度。", "请减少一次发送的内容；记录可以分批。"),
    "dispute-not-open": InChinese(
        "申诉已了结", "这件申诉已经支持、驳回或撤回，只能了结一次。", "请查看这件申诉；若仍有错误，请重新提出。"
    ),
    "guardian-required": InChinese(
        "需要监护人", "登记当日未满 14 周岁的志愿者须有监护人同意。", "请征得监护人同意，并填写 `guardian`。"
    ),
    "idempotency-answer-erased": InChinese(
        "答复已删除",
        "这个请求以前执行过；其答复涉及的人后来被删除了个人资料。",
        "请不要重发：事情已经办过，只是不能再显示。",
    ),
    "idempotency-answer-expired": InChinese(
        "答复已过保存期",
        "这个请求以前执行过，时间已超过答复的保存期；没有再执行一次。",
        "请直接查询该资源；新的事情请用新的键。",
    ),
    "idempotency-key-in-flight": InChinese(
        "正在执行", "使用这个键的请求还在执行。", "请稍候，用同一个键把同样的请求再发一次。"
    ),
    "idempotency-key-missing": InChinese(
        "缺少 Idempotency-Key",
        "凡新建或变动的 POST 都要带 Idempotency-Key，为 1 至 255 个可见 ASCII 字符。",
        "每个新请求生成一个键，并留存到需要重发的时候。",
    ),
    "idempotency-key-reused": InChinese(
        "Idempotency-Key 重复使用",
        "这个键以前用于另一个请求。",
        "新请求请用新的键；旧键只能配原来的请求。",
    ),
    "insufficient-points": InChinese(
        "积分不足",
        "志愿者可用的积分不够支付。",
        "请减少数量，或等积分增加或释放；`balance` 和 `needed` 是现有数与所需数。",
    ),
    "invalid-cursor": InChinese(
        "游标无效",
        "游标已损坏，或属于另一个列表、另一组筛选条件。",
        "请不带 `cursor` 重新开始，原样传递 `next_cursor`，筛选条件不变。",
    ),
    "invalid-request": InChinese(
        "请求有误",
        "请求里有缺少或不对的地方，`errors` 指出每一处。",
        "请逐处改正后再发；可以使用同一个键。",
    ),
    "invalid-signature": InChinese(
        "签名无效",
        "这一行不是该见证人用登记的公钥对这份封账凭证的签名，或签名时间在将来。",
        "请按 c2sp.org/tlog-cosignature 第 1 版对凭证正文签名，并校准时钟。",
    ),
    "invalid-token": InChinese(
        "未通过身份验证",
        "访问令牌缺失、格式不对、已过期，或不是给本服务的。",
        "请从 `POST /oauth2/token` 取新令牌，放在 `Authorization: Bearer` 里。",
    ),
    "limit-reached": InChinese("达到限额", "此人在本期内兑换这种商品已达限额。", "请减少数量，或等下一期。"),
    "linked-entry-refused": InChinese(
        "关联分录被拒", "与它关联的一条分录不成立；关联的分录同进同退。", "请改正那一条，再一起发送。"
    ),
    "manager-required": InChinese(
        "须由管理员办理", "这条记录使志愿者当日超过八小时，只有管理员可以审核。", "请留作待审，交给管理员。"
    ),
    "method-not-allowed": InChinese(
        "方法不允许",
        "该资源没有这个方法；`Allow` 列出可用的方法。",
        "请用其中之一；改变状态的操作，是对资源之下的名词发 POST。",
    ),
    "not-found": InChinese("未找到", "这里没有这个资源，或它属于别的社区。", "请核对路径、编号和社区。"),
    "not-yet-sealed": InChinese("尚未封账", "签名的账本还没有到这一笔，片刻即到；此前以回执为凭。", "请过一秒再查。"),
    "out-of-stock": InChinese(
        "库存不足", "货架上可用的件数少于所要的件数。", "请减少数量或等待到货；`shelf` 是现有件数。"
    ),
    "overlapping-service": InChinese(
        "服务时间重叠",
        "志愿者在同一时间已有有效记录，`service_record_id` 指出是哪一条。",
        "请对照两条记录，改正时间；已经记过的不再记。",
    ),
    "precondition-failed": InChinese(
        "前提不符",
        "该资源读取之后又被改动过；这次没有改动任何内容。",
        "请重新读取，核对不同之处，再用新的 ETag 发送改动。",
    ),
    "precondition-required": InChinese(
        "缺少前提",
        "PATCH 要用 If-Match 说明改动基于资源的哪个 ETag。",
        "请读取该资源，把它的 ETag 作为 If-Match 发送；`*` 表示不论现状。",
    ),
    "rate-limited": InChinese(
        "请求过多",
        "一分钟内来自此地址的、不带有效令牌的请求过多。",
        "请等待 Retry-After 所示的秒数。带有效令牌的请求不计在内。",
    ),
    "record-not-approved": InChinese(
        "服务记录未审核通过",
        "只有审核通过的服务记录才能更正，`record_status` 说明现在的状态。",
        "待审核的记录请直接驳回；被驳回的记录没有入账，无需更正。",
    ),
    "redemption-not-collected": InChinese(
        "兑换尚未领取或已退回",
        "只有已领取的兑换才能退回，`redemption_status` 说明现在的状态。",
        "预留中的请改为取消；已取消、已失效或已退回的，积分和商品都已退还。",
    ),
    "redemption-not-open": InChinese(
        "兑换已不在预留状态",
        "这笔兑换不再是预留状态，`redemption_status` 说明现在的状态。",
        "请查看这笔兑换；要同样的商品请新建一笔。",
    ),
    "redemptions-open": InChinese(
        "还有未完成的兑换",
        "志愿者的积分还预留在未完成的兑换上，`points_reserved` 说明有多少。",
        "请先领取商品或取消这些兑换，再删除个人信息。",
    ),
    "reference-reused": InChinese(
        "外部编号重复", "这个外部编号以前用于另一份内容。", "另一条记录请用自己的编号；第一条有错应更正，不要重发。"
    ),
    "role-missing": InChinese(
        "角色不符", "调用者的角色不能这样做，`roles` 列出可以的角色。", "请找有相应角色的人办理。"
    ),
    "rule-exists": InChinese(
        "规则已存在", "该服务类型从这一天起已有一版积分规则。", "请换一个日期；已有的版本不能修改。"
    ),
    "self-verification": InChinese("不能自审", "录入服务记录的人不能审核它。", "请由另一个人审核。"),
    "unavailable": InChinese(
        "暂时不可用",
        "服务太忙，或数据库没有应答。",
        "请在 `Retry-After` 秒之后，用同一个键把同样的请求再发一次。",
    ),
    "unbalanced-entry": InChinese("分录不平", "分录的数额没有按每种单位合计为零。", "请使每种单位的数额合计为零。"),
    "unexpected": InChinese(
        "意外错误",
        "服务出了错，已按请求编号记入日志。什么都没有保存。",
        "请把 `X-Request-Id` 告诉运行服务的人。",
    ),
    "unknown-account": InChinese("没有这个账户", "本社区的账本里没有这个账户。", "请核对账户的地址和单位。"),
    "unknown-goods": InChinese("没有这种商品", "本社区的目录里没有这种商品。", "请从商品列表里取 `goods_id`。"),
    "unknown-household": InChinese(
        "没有这个家庭户", "本社区没有这个家庭户。", "请从家庭户列表中取 `household_id`，或先建立家庭户。"
    ),
    "unknown-service-kind": InChinese(
        "没有这个服务类型",
        "本社区没有使用这个代码的服务类型。",
        "请从服务类型列表里取代码，或请管理员新建。",
    ),
    "unknown-service-record": InChinese(
        "没有这条服务记录", "这位志愿者没有这条服务记录。", "请从该志愿者的服务记录列表里取 `service_record_id`。"
    ),
    "unknown-transaction": InChinese("没有这笔交易", "本社区的账本里没有这个号的交易。", "请从存折或账本里取交易号。"),
    "unknown-volunteer": InChinese(
        "没有这位志愿者", "本社区没有这位志愿者。", "请从志愿者列表里取 `volunteer_id`，或先登记。"
    ),
    "unknown-witness": InChinese(
        "没有这个见证人", "签名行里的名称没有登记为这本账的见证人。", "请先由管理员登记见证人和它的公钥。"
    ),
    "unmapped": InChinese(
        "无法理解的请求", "这个请求不是本服务能理解的 HTTP 请求。", "请对照 OpenAPI 文档 `/openapi.json`。"
    ),
    "unsupported-media-type": InChinese(
        "不支持的媒体类型", "请求体须为 application/json。", "请发送 JSON，并写明 `Content-Type: application/json`。"
    ),
    "volunteer-erased": InChinese(
        "志愿者信息已删除",
        "志愿者的个人信息已应要求删除，无法恢复。",
        "余额和存折仍然保留；重新参加服务请重新登记。",
    ),
    "wrong-pickup-code": InChinese("取货码不对", "这不是这笔兑换的取货码。", "请志愿者出示属于这笔兑换的六位数字。"),
    **PROBLEMS_OF_WORK_ZH,
}
