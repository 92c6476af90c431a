"""Whole notebooks in real kernels: order, results, failures, interrupts, and no kernel left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from zennb.core.records.records import Status
from zennb.errors import MissingExtra, StepRefused, UnknownName
from zennb.headless.execute import CellStart, Execution, execute
from zennb.headless.step_line import StepLine

pytestmark = pytest.mark.kernel

SHOW = """
from IPython.display import display
def show(**fields):
    display({'text/plain': 'status'}, raw=True, metadata={'zennb': fields})
"""


@pytest.fixture(autouse=True)
def own_ipython(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))


def make(folder: Path, *sources: str, tags: dict[int, str] | None = None) -> Path:
    node = v4.new_notebook()
    for position, source in enumerate(sources):
        cell = v4.new_code_cell(textwrap.dedent(source).strip(), id=f"c{position}")
        if tags and position in tags:
            cell.metadata["tags"] = [tags[position]]
        node.cells.append(cell)
    path = folder / "study.ipynb"
    nbformat.write(node, path)
    return path


def shown(path: Path, position: int) -> str:
    cell = nbformat.read(path, as_version=4).cells[position]
    return "".join(output.get("text", "") for output in cell.outputs)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid: int, *, within: float = 15.0) -> bool:
    deadline = time.monotonic() + within
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_cells_run_in_order_in_the_folder_of_the_notebook_by_this_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENNB_TEST_MINE", "mine")
    path = make(
        tmp_path,
        "import os, sys; x = 20",
        "",
        "x += 1; print(os.getcwd(), sys.executable, x, os.environ['ZENNB_TEST_MINE'], os.getpid())",
        "print(os.environ['ZENNB_NOTEBOOK'], os.environ['ZENNB_STACK'], os.environ['ZENNB_PARAMETERS'])",
    )
    starts: list[CellStart] = []
    done = execute(path, stack="prod", out=tmp_path / "deep" / "out.ipynb", on_cell=starts.append)
    assert (done.status, done.cells, done.total, done.failure) == (Status.COMPLETED, 3, 3, None)
    assert [(start.number, start.total, start.id) for start in starts] == [
        (1, 3, "c0"),
        (2, 3, "c2"),
        (3, 3, "c3"),
    ]
    assert done.out == tmp_path / "deep" / "out.ipynb"
    *told, process = shown(done.out, 2).split()
    assert (told, process != str(os.getpid())) == ([str(tmp_path), sys.executable, "21", "mine"], True)
    assert shown(done.out, 3) == f"{path} prod {{}}\n"
    assert [cell.execution_count for cell in nbformat.read(done.out, as_version=4).cells] == [1, None, 2, 3]
    assert [file.name for file in done.out.parent.iterdir()] == ["out.ipynb"]
    assert shown(path, 2) == ""  # the notebook itself is left alone


@pytest.mark.skipif(os.name == "nt", reason="there the kernel listens on local ports")
def test_nobody_else_can_enter_the_folder_of_the_kernel_s_sockets(tmp_path: Path) -> None:
    path = make(
        tmp_path,
        "import json, os, ipykernel\nfile = ipykernel.get_connection_file()\n"
        "print(json.load(open(file))['transport'], oct(os.stat(os.path.dirname(file)).st_mode & 0o777))",
    )
    execute(path, out=tmp_path / "out.ipynb")
    assert shown(tmp_path / "out.ipynb", 0) == "ipc 0o700\n"


def test_step_results_arrive_while_the_notebook_runs(tmp_path: Path) -> None:
    path = make(
        tmp_path,
        SHOW,
        """
        show(step='load', status='running')
        show(step='load', status='completed', seconds=0.5, outputs=['X', 'y'], reason='first run', run=3)
        """,
        "handle = display({'text/plain': ''}, raw=True, display_id='table')",
        """
        from IPython.display import update_display
        lines = [{'step': 'a', 'status': 'cached'}, {'step': 'b', 'status': 'completed'}]
        update_display({'text/plain': ''}, raw=True, display_id='table', metadata={'zennb': lines})
        """,
    )
    events: list[str] = []
    done = execute(
        path,
        on_cell=lambda start: events.append(f"[{start.number}]"),
        on_step=lambda line: events.append(f"{line.step} {line.status}"),
    )
    assert events == ["[1]", "[2]", "load running", "load completed", "[3]", "[4]", "a cached", "b completed"]
    assert done.steps[0] == StepLine(
        step="load", status=Status.COMPLETED, seconds=0.5, outputs=("X", "y"), reason="first run", run=3
    )
    assert [line.step for line in done.steps] == ["load", "a", "b"]


def test_a_widget_with_a_static_face_is_saved_as_that_face(tmp_path: Path) -> None:
    static = "{'text/html': '<b>as it stood</b>', 'text/plain': 'as it stood', **widget._repr_mimebundle_()}"
    alone = make(tmp_path, f"import ipywidgets\nwidget = ipywidgets.HTML()\ndisplay({static}, raw=True)")
    execute(alone, out=tmp_path / "done.ipynb")
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    assert set(done.cells[0].outputs[0].data) == {"text/html", "text/plain"}
    assert "widgets" not in done.metadata
    execute(make(tmp_path, "import ipywidgets\nipywidgets.IntSlider()"), out=tmp_path / "done.ipynb")
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    assert "application/vnd.jupyter.widget-view+json" in done.cells[0].outputs[0].data
    assert "widgets" in done.metadata


def test_a_panel_is_saved_as_its_picture(tmp_path: Path) -> None:
    home = f"import os\nos.environ['ZENNB_HOME'] = {str(tmp_path / 'home')!r}\n%load_ext zennb"
    execute(make(tmp_path, home, "%stack picker"), out=tmp_path / "done.ipynb")
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    (shown,) = done.cells[1].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    assert "widgets" not in done.metadata


def test_parameters_are_set_and_handed_to_the_kernel(tmp_path: Path) -> None:
    path = make(
        tmp_path,
        "rate = 0.1",
        "name = 'ridge'; depth = 2",
        "import os; print(rate, name, depth, os.environ['ZENNB_PARAMETERS'])",
        tags={0: "parameters"},
    )
    done = execute(path, parameters={"rate": "1e-3", "name": "lasso"}, out=tmp_path / "out.ipynb")
    assert done.out is not None
    assert shown(done.out, 4) == '0.001 lasso 2 {"rate": "1e-3", "name": "lasso"}\n'
    cells = nbformat.read(done.out, as_version=4).cells
    assert [cell.metadata.get("tags") for cell in cells[1:4:2]] == [["injected-parameters"]] * 2
    assert cells[1].source == "# Parameters\nrate = 0.001"


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = make(tmp_path, "open('ran', 'w'); depth = 2")
    with pytest.raises(UnknownName, match="no parameter 'dept'; did you mean 'depth'"):
        execute(path, parameters={"dept": "3"}, out=tmp_path / "out.ipynb")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out.ipynb").exists()


def test_a_failing_cell_ends_the_run_and_what_is_there_is_saved(tmp_path: Path) -> None:
    path = make(
        tmp_path,
        SHOW,
        """
        print('before')
        show(step='train', status='failed', reason='')
        def deep():
            raise ValueError('too small')
        deep()
        """,
        "open('reached', 'w')",
    )
    done = execute(path, out=tmp_path / "out.ipynb")
    assert (done.status, done.cells, done.total) == (Status.FAILED, 2, 3)
    failure = done.failure
    assert failure is not None
    assert (failure.number, failure.id, failure.step) == (2, "c1", "train")
    assert (failure.type, failure.message) == ("ValueError", "too small")
    assert "ValueError: too small" in failure.traceback
    assert "Cell In[2], line 4" in failure.traceback
    assert "\x1b" not in failure.traceback
    assert not (tmp_path / "reached").exists()
    assert "before" in shown(tmp_path / "out.ipynb", 1)


def test_a_cell_that_was_not_reached_shows_nothing_of_an_earlier_run(tmp_path: Path) -> None:
    path = make(tmp_path, "1/0", "print('late')")
    node = nbformat.read(path, as_version=4)
    node.cells[1].outputs = [v4.new_output("stream", text="old")]
    node.cells[1].execution_count = 9
    nbformat.write(node, path)
    execute(path, out=path)
    last = nbformat.read(path, as_version=4).cells[1]
    assert (last.outputs, last.execution_count) == ([], None)


def test_errors_can_be_allowed_and_are_all_told(tmp_path: Path) -> None:
    path = make(
        tmp_path, "1/0", "%%step fit\nx", "int('expected')", "print('end')", tags={2: "raises-exception"}
    )
    done = execute(path, allow_errors=True, out=tmp_path / "out.ipynb")
    assert done.status == Status.FAILED
    assert [(one.number, one.step, one.type) for one in done.failures] == [
        (1, "", "ZeroDivisionError"),
        (2, "fit", "UsageError"),
    ]
    assert shown(tmp_path / "out.ipynb", 3) == "end\n"


def test_a_cell_that_takes_too_long_fails_and_its_kernel_ends(tmp_path: Path) -> None:
    path = make(
        tmp_path, "import os; open('pid', 'w').write(str(os.getpid()))", "import time; time.sleep(9)", "1"
    )
    done = execute(path, timeout=1.5, allow_errors=True)
    assert (done.status, done.cells) == (Status.FAILED, 2)
    assert done.failure is not None
    assert (done.failure.type, done.failure.message) == ("TimeoutError", "the cell ran longer than 1.5 s")
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_dead_kernel_is_told_as_such_and_what_ran_is_saved(tmp_path: Path) -> None:
    path = make(tmp_path, "print('fine')", "import os; os.kill(os.getpid(), 9)", "1")
    done = execute(path, out=tmp_path / "out.ipynb", allow_errors=True)
    assert (done.status, done.cells) == (Status.FAILED, 2)
    assert done.failure is not None
    assert (done.failure.number, done.failure.type) == (2, "DeadKernel")
    assert "out of memory" in done.failure.message
    assert shown(tmp_path / "out.ipynb", 0) == "fine\n"


def test_a_cell_that_the_kernel_cannot_compile_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ipykernel gives no answer then, so a run without a time limit would wait for ever."""
    monkeypatch.setattr("zennb.headless.notebook_runner.GRACE", 0.5)
    deep = "x = " + " + ".join(["1"] * 30_000)
    found = execute(make(tmp_path, "a = 1", deep, "b = 2"))
    assert found.status is Status.FAILED
    assert found.failure is not None
    assert (found.failure.number, found.cells) == (2, 2)


def test_a_notebook_that_runs_itself_is_refused_in_its_own_kernel(tmp_path: Path) -> None:
    found = execute(make(tmp_path, "import zennb\nzennb.run('study.ipynb')"))
    assert found.failure is not None
    assert found.failure.type == "StepRefused"
    assert found.failure.message.startswith("study.ipynb is running already, and this is a part of it")


def test_a_kernel_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StepRefused, match="the kernel did not start, so no cell ran"):
        execute(make(tmp_path, "1"), out=tmp_path / "out.ipynb")


def test_without_ipykernel_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "zennb\[kernel\]"'):
        execute(make(tmp_path, "1"))


def test_it_works_where_an_event_loop_runs_already(tmp_path: Path) -> None:
    async def inside() -> Execution:
        return execute(make(tmp_path, "print(1)"))

    assert asyncio.run(inside()).status == Status.COMPLETED


def test_an_error_in_a_callback_ends_the_kernel(tmp_path: Path) -> None:
    path = make(tmp_path, "import os; open('pid', 'w').write(str(os.getpid()))", "1")

    def refuse(start: CellStart) -> None:
        if start.number == 2:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        execute(path, on_cell=refuse)
    assert gone(int((tmp_path / "pid").read_text()))


# ---------------------------------------------------------------- signals, as from a terminal

PROGRAM = """
import json, sys
from zennb.headless.execute import execute
done = execute(sys.argv[1], out=sys.argv[2])
failure = done.failure
print(json.dumps([done.status, done.cells, failure and [failure.number, failure.type]]))
"""
PATIENT = """
import os, time
try:
    open('pid', 'w').write(str(os.getpid()))
    time.sleep(600)
finally:
    print('tidied')
"""
STUBBORN = """
import os, time
open('pid', 'w').write(str(os.getpid()))
while True:
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        open('asked', 'a').write('x')
"""


def start(path: Path, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(path), str(path.with_name("out.ipynb"))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})


def wait_for(path: Path, *, within: float = 60.0) -> str:
    deadline = time.monotonic() + within
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.05)
    return path.read_text()


def test_an_interrupt_reaches_the_cell_and_what_it_showed_is_saved(tmp_path: Path) -> None:
    with start(make(tmp_path, "print('first')", PATIENT, "open('reached', 'w')")) as process:
        pid = int(wait_for(tmp_path / "pid"))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert json.loads(out) == ["interrupted", 2, [2, "KeyboardInterrupt"]]
    assert "tidied" in shown(tmp_path / "out.ipynb", 1)
    assert not (tmp_path / "reached").exists()
    assert gone(pid)


def test_a_second_interrupt_ends_a_kernel_that_does_not_give_in(tmp_path: Path) -> None:
    with start(make(tmp_path, "print('first')", STUBBORN)) as process:
        pid = int(wait_for(tmp_path / "pid"))
        process.send_signal(signal.SIGINT)
        wait_for(tmp_path / "asked")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)[0] == "interrupted"
    assert shown(tmp_path / "out.ipynb", 0) == "first\n"
    assert gone(pid)


def test_a_kernel_that_does_not_give_in_ends_after_the_grace(tmp_path: Path) -> None:
    with start(make(tmp_path, STUBBORN)) as process:
        pid = int(wait_for(tmp_path / "pid"))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)[0] == "interrupted"
    assert gone(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_ends_the_kernel_first_and_is_obeyed(tmp_path: Path, number: signal.Signals) -> None:
    with start(make(tmp_path, "print('first')", PATIENT)) as process:
        pid = int(wait_for(tmp_path / "pid"))
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == -number
    assert gone(pid)
    assert shown(tmp_path / "out.ipynb", 0) == "first\n"


def test_a_kernel_ends_when_its_parent_is_killed_outright(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short:  # what a killed process leaves behind goes with this folder
        with start(make(tmp_path, PATIENT), TMPDIR=short) as process:
            pid = int(wait_for(tmp_path / "pid"))
            process.kill()
            process.communicate(timeout=60)
        assert gone(pid)


def test_the_kernel_is_told_which_cell_it_runs(tmp_path: Path) -> None:
    path = make(tmp_path, "print(get_ipython().get_parent()['metadata']['cellId'])", "x = 1")
    done = execute(path, out=tmp_path / "out.ipynb")
    assert done.status is Status.COMPLETED
    assert shown(tmp_path / "out.ipynb", 0) == "c0\n"
