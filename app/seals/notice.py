"""A checkpoint for the notice board: one page, in words and as a QR code of the signed note."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import segno

if TYPE_CHECKING:
    from app.communities.rules import Community
    from app.kernel.notes import PublicKey
    from app.seals.rules import Sealed

_page = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>封账凭证 {name}</title>
<style>
body {{ font-family: system-ui, "Noto Sans CJK SC", sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; line-height: 1.6; }}
h1 {{ font-size: 1.6rem; margin: 0 0 .25rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
svg {{ width: min(100%, 18rem); height: auto; display: block; margin: 1.5rem 0; }}
code, pre {{ font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; white-space: pre-wrap; }}
@media (max-width: 30rem) {{ dl {{ grid-template-columns: 1fr; }} dd {{ margin-bottom: .5rem; }} }}
@media print {{ body {{ margin: 0; max-width: none; }} }}
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
{code}
<p>二维码里是签名全文。请拍照留存：以后用离线验证页，凭公钥即可核对自己的回执与证明。</p>
<pre>{note}</pre>
</body>
</html>
"""


def notice_page(community: Community, sealed: Sealed, key: PublicKey) -> str:
    """Write the page. The QR code holds the note whole, so that whoever took a picture can hold the bank to it."""
    checkpoint = sealed.checkpoint
    local = sealed.sealed_at.astimezone(ZoneInfo(community.timezone))
    code = segno.make(sealed.note, encoding="utf-8", micro=False)
    return _page.format(
        name=escape(community.name),
        size=checkpoint.tree_size,
        instant=sealed.sealed_at.isoformat(),
        local=f"{local:%Y-%m-%d %H:%M:%S}",
        origin=escape(checkpoint.origin),
        root=base64.b64encode(checkpoint.root).decode(),
        key=escape(str(key)),
        code=code.svg_inline(scale=4, omitsize=True, title="封账凭证"),
        note=escape(sealed.note),
    )
