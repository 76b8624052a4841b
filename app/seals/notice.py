"""A checkpoint for the notice board: one page, in words and as a QR code of the signed note."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.kernel.lazily import lazily
from app.kernel.notes import base64_of, read_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    import segno

    from app.communities.rules import Community
    from app.kernel.notes import PublicKey
    from app.seals.rules import Sealed
else:
    segno = lazily("segno")

_forgotten = "签名用的是更早的公钥，请向爱心银行索取"
_page = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>封账凭证 {name}</title>
<style>
body {{ font: 1.125rem/1.6 "PingFang SC", "HarmonyOS Sans SC", "MiSans", "Microsoft YaHei", "Noto Sans CJK SC",
  "Source Han Sans SC", "WenQuanYi Micro Hei", system-ui, sans-serif; max-width: 44rem; margin: 1.5rem auto;
  padding: 0 1rem; color: #1b1f24; background: #fff; }}
h1 {{ font-size: 2rem; line-height: 1.3; margin: 0 0 .5rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0; min-width: 0; overflow-wrap: anywhere; }}
.code {{ width: 100%; max-width: 30rem; margin: 0 auto; }}
svg {{ width: 100%; height: auto; display: block; }}
code, pre {{ font: 1rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }}
@media (max-width: 37.5rem) {{
  dl {{ grid-template-columns: 1fr; gap: 0; }} dd {{ margin-bottom: .5rem; }}
  .code {{ width: auto; margin: 0 -1rem; }}
}}
@page {{ size: A4; margin: 15mm; }}
@media print {{
  body {{ margin: 0; padding: 0; max-width: none; font-size: 12pt; }}
  h1 {{ font-size: 24pt; }} code, pre {{ font-size: 9.5pt; }}
  .code {{ width: 11cm; break-inside: avoid; }}
}}
</style>
</head>
<body>
<h1>封账凭证</h1>
<p>{name} 爱心银行的账本在下面这一刻被封存。此后谁改动其中任何一笔，都会与这张凭证对不上。</p>
<dl>
<dt>封存至第几笔</dt><dd>{size}</dd>
<dt>封存时间</dt><dd><time datetime="{instant}">{local}</time></dd>
<dt>账本名称</dt><dd><code>{origin}</code></dd>
<dt>总哈希</dt><dd><code>{root}</code></dd>
<dt>验证公钥</dt><dd><code>{key}</code></dd>
</dl>
<div class="code">{code}</div>
<p>二维码里是这张凭证和爱心银行的签名。请拍照留存：以后用离线验证页，凭公钥即可核对自己的回执与证明。</p>
<p>签名全文，包括见证人的：</p>
<pre>{note}</pre>
</body>
</html>
"""


def notice_page(community: Community, sealed: Sealed, keys: Sequence[PublicKey]) -> str:
    """Write the page, with the one of these keys that signed, which may be one of before.

    Its QR code holds what the bank signed, so that whoever took a picture can hold it to that. Witnesses'
    signatures stand below in words alone: with many of them no code could be photographed, nor made.
    """
    checkpoint = sealed.checkpoint
    local = sealed.sealed_at.astimezone(ZoneInfo(community.timezone))
    note = read_note(sealed.note)
    (own, *_) = note.signatures
    signed = next((str(key) for key in keys if own.value.startswith(key.id)), _forgotten)
    code = segno.make(str(note._replace(signatures=(own,))), encoding="utf-8", micro=False)
    return _page.format(
        name=escape(community.name),
        size=checkpoint.tree_size,
        instant=sealed.sealed_at.isoformat(),
        local=f"{local:%Y-%m-%d %H:%M:%S}",
        origin=escape(checkpoint.origin),
        root=base64_of(checkpoint.root),
        key=escape(signed),
        code=code.svg_inline(scale=4, omitsize=True, title="封账凭证"),
        note=escape(sealed.note),
    )
