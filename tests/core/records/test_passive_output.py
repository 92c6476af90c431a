from __future__ import annotations

from typing import Any

import pytest

from zennb.core.records.passive_output import is_passive

TABLE = """<div>
<style scoped>
    .dataframe tbody tr th:only-of-type {
        vertical-align: middle;
    }
</style>
<table border="1" class="dataframe">
  <thead>
    <tr style="text-align: right;"><th></th><th>a</th></tr>
  </thead>
  <tbody><tr><th>0</th><td>x &lt; y</td></tr></tbody>
</table>
<p>2 rows × 1 column</p>
</div>"""


def shown(mime: str, content: object) -> list[dict[str, Any]]:
    return [{"kind": "display", "data": {"text/plain": "x", mime: content}, "metadata": {}, "id": ""}]


@pytest.mark.parametrize(
    ("mime", "content"),
    [
        ("text/plain", "<script>"),
        ("image/png", "aGVsbG8="),
        ("application/json", {"a": "<script>"}),
        ("text/html", TABLE),
        ("text/html", [TABLE[:30], TABLE[30:]]),
        ("text/html", '<span style="color: red">1</span><br/>'),
        ("text/html", '<td class="data row0 col1">1</td>'),
    ],
)
def test_text_pictures_and_plain_tables_are_passive(mime: str, content: object) -> None:
    assert is_passive(shown(mime, content))


@pytest.mark.parametrize(
    ("mime", "content"),
    [
        ("application/javascript", "1"),
        ("image/svg+xml", "<svg/>"),
        ("text/markdown", "plain"),
        ("text/latex", "x"),
        ("application/vnd.jupyter.widget-view+json", {}),
        ("text/html", "<script>1</script>"),
        ("text/html", "<SCRIPT>1</SCRIPT>"),
        ("text/html", "<scr<p>ipt>1</scr</p>ipt>"),
        ("text/html", "<img src=x onerror=1>"),
        ("text/html", '<p onclick="1">x</p>'),
        ("text/html", '<p title="a"onclick="1">x</p>'),
        ("text/html", '<p title="a>"b">x</p>'),
        ("text/html", '<a href="javascript:1">x</a>'),
        ("text/html", "<!-- <p> --><p>x</p>"),
        ("text/html", "<style>@import 'http://x';</style>"),
        ("text/html", "<style>p { background: url(http://x) }</style>"),
        ("text/html", "<style>p { background: u\\72l(http://x) }</style>"),
        ("text/html", '<p style="position: fixed">x</p>'),
        ("text/html", '<div class="jp-Dialog">x</div>'),
        ("text/html", '<div class="modal">x</div>'),
        ("text/html", "<form><input></form>"),
        ("text/html", "x <"),
        ("text/html", "x \0"),
        ("text/html", '<td class="">a</td><math><p>x</p></math>'),
    ],
)
def test_whatever_else_is_active(mime: str, content: object) -> None:
    assert not is_passive(shown(mime, content))


def test_streams_and_errors_are_passive() -> None:
    events: list[dict[str, Any]] = [
        {"kind": "stream", "name": "stdout", "text": "<script>"},
        {"kind": "clear", "wait": True},
    ]
    assert is_passive(events)
    assert not is_passive([*events, *shown("text/html", "<b")])
