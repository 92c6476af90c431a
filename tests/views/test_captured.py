from __future__ import annotations

import base64

from zennb.views.captured import captured, tail

PNG = base64.b64encode(b"\x89PNG not really").decode()


def stream(text: str, name: str = "stdout") -> dict[str, object]:
    return {"kind": "stream", "name": name, "text": text}


def display(data: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": "display", "data": data, "metadata": {}, "id": "", "update": False, **more}


def test_streams_displays_and_the_result_stand_in_order() -> None:
    shown = captured(
        [
            stream("one\n"),
            stream("careful\n", "stderr"),
            display({"text/plain": "<Figure>", "image/png": PNG}),
            {"kind": "result", "data": {"text/plain": "42"}, "metadata": {}},
        ]
    )
    assert shown.text == "one\n\nstderr:\ncareful\n\n[picture: <Figure>]\n\n42".replace("\n\n", "\n")
    assert f'src="data:image/png;base64,{PNG}"' in shown.html


def test_html_that_a_step_showed_is_not_run_its_plain_face_is_shown() -> None:
    shown = captured([display({"text/html": "<script>go()</script><b>x</b>", "text/plain": "a table"})])
    assert "a table" in shown.html
    assert "script" not in shown.html
    svg = captured([display({"image/svg+xml": "<svg onload='go()'/>", "text/plain": "drawn"})])
    assert 'src="data:image/svg+xml;base64,' in svg.html
    assert "onload" not in svg.html


def test_cleared_output_is_gone_and_an_updated_display_is_shown_once_as_it_ended() -> None:
    bar = [display({"text/plain": f"{n} %"}, id="bar", update=n > 0) for n in (0, 50, 100)]
    assert captured([stream("old"), {"kind": "clear", "wait": True}, *bar]).text == "100 %"


def test_a_progress_bar_of_carriage_returns_is_shown_as_it_ended() -> None:
    assert captured([stream(" 10%\r 60%\r100%\ndone\n")]).text == "100%\ndone"
    assert tail("a\nb\nc\nd\n10%\r20%", lines=2) == "d\n20%"


def test_long_output_is_cut_and_what_is_left_out_is_counted() -> None:
    shown = captured([stream("x" * 30), stream("y" * 30, "stderr")], most=10)
    assert shown.text == "x" * 10 + "\n… 50 more characters"
    assert captured([]).text == "no output"
