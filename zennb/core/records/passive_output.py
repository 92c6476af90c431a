"""Owns which recorded output is passive: showing it runs nothing, loads nothing from elsewhere and covers nothing.

Browsers read damaged HTML in ways that no other parser follows. So this is no parser: every `<` has to begin one of a
few tags in its plainest form, and anything else is taken for active.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["is_passive"]

_SAFE = frozenset({"text/plain", "image/png", "image/jpeg", "image/gif", "image/webp", "application/json"})
_TAGS = (
    "div|span|p|br|hr|pre|code|b|i|em|strong|small|sub|sup|ul|ol|li|h[1-6]|"
    "table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td"
)
_ATTRIBUTES = "style|border|colspan|rowspan|scope|align|halign|valign|title"
# Of classes only those of tables: the page around has others, such as those of its dialogs.
_CLASS = r"(?:dataframe|data|blank|col_heading|row_heading|index_name|(?:row|col|level)\d+)"
_VALUE = rf'(?:(?:{_ATTRIBUTES})="[^"<>&]*"|class="(?:{_CLASS} ?)*")'
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s+{_VALUE})*\s*/?>")
_STYLES = re.compile(r"<style(?: scoped)?>([^<]*)</style>")
_INLINE = re.compile(r'\sstyle="([^"]*)"')
_ACTIVE_STYLE = re.compile(r"[@\\(]|url|position|content|fixed|absolute|import|expression|/\*", re.IGNORECASE)
"""In a style: what can load something, lie over other things or show text of its own."""


def is_passive(events: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether recorded output can be shown without trusting whoever made it: text, pictures and plain tables."""
    return all(_is_passive(str(mime), content) for event in events for mime, content in _bundle(event))


def _bundle(event: Mapping[str, Any]) -> Iterable[tuple[object, object]]:
    data = event.get("data")
    return data.items() if isinstance(data, dict) else ()


def _is_passive(mime: str, content: object) -> bool:
    if mime in _SAFE:
        return True
    lines = content if isinstance(content, list) else [content]
    return mime == "text/html" and _is_passive_html("".join(map(str, lines)))


def _is_passive_html(text: str) -> bool:
    styles = _STYLES.findall(text) + _INLINE.findall(text)
    if any(_ACTIVE_STYLE.search(each) for each in styles):
        return False
    rest = _TAG.sub("", _STYLES.sub("", text))
    # Taking a tag out must not make a new one of what stood around it: nothing like the beginning of one may be left.
    return "<" not in rest and "\0" not in rest
