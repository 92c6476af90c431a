"""Variants of a notebook: which there are, where they are written, what they share, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat import v4

from zennb import api, cli
from zennb.errors import UsageError
from zennb.headless import sweep as headless_sweep
from zennb.headless.sweep import Sweep, Variant, out_paths, swept_values, variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIT = """%%step fit
score = sum(rows) * alpha
metrics = {'depth': depth, 'half': alpha / 2}
zennb.log(accuracy=1 - alpha)
if alpha > 5:
    1 / 0"""
CELLS = (
    "%load_ext zennb",
    "from pathlib import Path\nimport time\nimport zennb",
    "alpha = 0.5\ndepth = 2\nname = 'ridge'",
    "%%step load\ntime.sleep(0.5)\nrows = [1, 2, 3]",
    FIT,
    "%%step label\ntext = f'{name} {alpha}'",
)


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    monkeypatch.chdir(tmp_path)
    make(*CELLS)
    yield tmp_path / "study.ipynb"
    api.close()


def make(*sources: str) -> None:
    node = v4.new_notebook(cells=[v4.new_code_cell(each, id=f"c{at}") for at, each in enumerate(sources)])
    nbformat.write(node, "study.ipynb")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a=1,2"], {"a": ["1", "2"]}),
        (["a=1", "b=x,y"], {"a": ["1"], "b": ["x", "y"]}),
        (["a=[1, 2],[3]"], {"a": ["[1, 2]", "[3]"]}),
        (["a='x,y',z"], {"a": ["'x,y'", "z"]}),
        (["a={'k': (1, 2)},None"], {"a": ["{'k': (1, 2)}", "None"]}),
        (["a=1,1,2"], {"a": ["1", "2"]}),
        (["a=b=c,d"], {"a": ["b=c", "d"]}),
    ],
)
def test_values_are_separated_by_commas(words: list[str], expected: dict[str, list[str]]) -> None:
    assert swept_values(words) == expected


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["run", "--sweep", "alpha"], "is not of the form"),
        (["run", "--sweep", "alpha="], "is not of the form"),
        (["run", "--sweep", "alpha=1,,2"], "is not of the form"),
        (["run", "--sweep", "alpha=1", "--sweep", "alpha=2"], "comes twice"),
        (["run", "--sweep", "alpha=1,x"], "'x' is not"),
        (["run", "--sweep", "alpha=1,2", "--sweep", "depth=3,deep"], "'deep' is not"),
        (["run", "--sweep", "alpa=1,2"], "did you mean 'alpha'"),
        (["run", "--sweep", "score=1,2"], "is made by step `fit`"),
        (["run", "--sweep", "alpha=1,2", "-p", "alpha=3"], "has a value (-p)"),
        (["run", "--sweep", "alpha=1,2", "-p", "depth=x"], "'x' is not"),
        (["run", "--sweep", "alpha=1,2", "-o", "one.ipynb"], "one-{alpha}.ipynb"),
        (["run", "--sweep", "alpha=1,2", "-o", "{beta}.ipynb"], "known: alpha"),
        (["run", "--sweep", "alpha=1,2", "--sweep", "depth=1,2", "-o", "{alpha}.ipynb"], "add {depth}"),
        (["run", "--sweep", "alpha=1,2", "--workers", "0"], "from 1 on"),
        (["run", "--sweep", "alpha=1,2", "--stack", "nope"], "no stack 'nope'"),
        (["run", "--workers", "2"], "there is none"),
        (["run", "--sweep", f"depth={','.join(map(str, range(1001)))}"], "1001 variants"),
    ],
)
def test_a_bad_sweep_is_refused_before_anything_runs(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words[:1], "study.ipynb", *words[1:]]) in {1, 2}
    assert why in capsys.readouterr().err
    assert api.workspace().metadata.runs() == []


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (None, [None, None]),
        ("runs/", ["runs/study-alpha=0.1-name=a.ipynb", "runs/study-alpha=1-name=b_c.ipynb"]),
        ("runs", ["runs/study-alpha=0.1-name=a.ipynb", "runs/study-alpha=1-name=b_c.ipynb"]),
        ("x-{name}-{alpha}.ipynb", ["x-a-0.1.ipynb", "x-b_c-1.ipynb"]),
        ("{alpha}/{name}.ipynb", ["0.1/a.ipynb", "1/b_c.ipynb"]),
    ],
)
def test_each_variant_is_written_to_a_file_of_its_own(out: str | None, expected: list[str | None]) -> None:
    found = [
        Variant(parameters={"alpha": "0.1", "name": "a"}),
        Variant(parameters={"alpha": "1", "name": "b/c"}),
    ]
    paths = [each.out for each in out_paths(out, Path("study.ipynb"), found)]
    assert [None if each is None else each.as_posix() for each in paths] == expected


def test_values_that_no_file_name_can_tell_apart_get_numbers() -> None:
    found = [Variant(parameters={"name": text}) for text in ("a/b", "a:b")]
    assert [each.out for each in out_paths("{name}.ipynb", Path("s.ipynb"), found)] == [
        Path("a_b.ipynb"),
        Path("a_b-2.ipynb"),
    ]


def test_a_secret_is_not_in_names_of_files_nor_in_labels() -> None:
    found = out_paths("runs/", Path("s.ipynb"), [Variant(parameters={"api_key": "c4nary-7f3a"})])
    assert "c4nary" not in f"{found[0].out} {found[0].label}"


def test_all_combinations_are_variants(study: Path) -> None:
    found = variants(study, {"alpha": ["1", "2"], "depth": ["3", "4"]}, {})
    assert [each.label for each in found] == [
        "alpha=1, depth=3",
        "alpha=1, depth=4",
        "alpha=2, depth=3",
        "alpha=2, depth=4",
    ]
    with pytest.raises(UsageError):
        variants(study, {"alpha": ["x"]}, {})


@pytest.mark.kernel
@pytest.mark.parametrize(("words", "expected"), [([], 3), (["--workers", "1"], 1), (["--workers", "20"], 20)])
def test_variants_run_side_by_side_one_per_core(
    words: list[str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def ask(path: Path, found: Sequence[Variant], *, workers: int, **_: Any) -> Sweep:
        asked.append(workers)
        return Sweep(variants=found)

    monkeypatch.setattr(headless_sweep, "sweep", ask)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    cli.main(["run", "study.ipynb", "--sweep", "alpha=0.1,0.3", *words])
    assert asked == [expected]


@pytest.mark.parametrize("workers", [1, 3])
def test_variants_share_what_does_not_depend_on_their_parameters(
    workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "run",
        "study.ipynb",
        "--sweep",
        "alpha=0.1,0.3,9",
        "--workers",
        str(workers),
        "-o",
        "out/",
        "--json",
    ]
    assert cli.main(words) == 1
    answer = json.loads(capsys.readouterr().out)
    rows: list[dict[str, Any]] = answer["data"]["variants"]
    assert [row["parameters"] for row in rows] == [{"alpha": 0.1}, {"alpha": 0.3}, {"alpha": 9}]
    assert [row["status"] for row in rows] == ["completed", "completed", "failed"]
    assert [(row["ran"], row["cached"]) for row in rows] == [(3, 0), (2, 1), (0, 1)]
    assert rows[0]["outputs"] == pytest.approx(
        {"score": 0.6, "metrics.depth": 2, "metrics.half": 0.05, "text": "ridge 0.1"}
    )
    assert [row["metrics"] for row in rows[:2]] == [{"accuracy": 0.9}, {"accuracy": 0.7}]
    assert "ZeroDivisionError" in rows[2]["failure"]
    assert "1 of 3 variants failed" in answer["error"]["message"]
    # Each is a notebook and a run of its own.
    for row in rows:
        assert f"alpha = {row['parameters']['alpha']}" in Path(row["out"]).read_text()
    assert len({row["run"] for row in rows}) == 3
    # Again, in words: nothing runs but what failed.
    assert cli.main(["run", "study.ipynb", "--sweep", "alpha=0.1,0.3"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["0.1", "●"], ["0.3", "●"]]
    assert "2 variants, 2 succeeded" in out
    assert "score" in out
    header = next(line for line in out.splitlines() if line.startswith("alpha"))
    assert header.split().index("accuracy") < header.split().index("score")


@pytest.mark.kernel
def test_an_interrupt_ends_all_variants_and_their_kernels() -> None:
    make(
        "%load_ext zennb\nimport os, time\nfrom pathlib import Path\nalpha = 1",
        "Path(f'pid{alpha}').write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    command = [
        sys.executable,
        "-m",
        "zennb",
        "run",
        "study.ipynb",
        "--sweep",
        "alpha=1,2,3",
        "--workers",
        "2",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while not (Path("pid1").exists() and Path("pid2").exists()) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "3 variants, 0 succeeded" in out
    assert "interrupted" in out
    assert not Path("pid3").exists()
    for name in ("pid1", "pid2"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(Path(name).read_text()), 0)
