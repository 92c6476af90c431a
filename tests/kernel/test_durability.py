"""Kernels that die, restart, share a store, or are given notebooks in odd states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel


def test_a_step_survives_a_kernel_killed_right_after_its_status_line(kernel: Kernel) -> None:
    cell = "%%step s\nimport numpy as np\nx = np.arange(200_000)\nprint('made')"
    sent = kernel.send(cell)
    ran = kernel.follow(sent, until=lambda ran: any(message.facts for message in ran.messages))
    kernel.kill()
    assert ran.status == "completed"
    kernel.restart()
    (again,) = kernel.run(cell)
    assert (again.status, again.stdout) == ("cached", "made\n")
    assert kernel.value("int(x[-1])") == "199999"


def test_a_kernel_killed_in_the_middle_leaves_nothing_half_recorded(kernel: Kernel) -> None:
    kernel.run("%%step before\na = [1, 2]")
    sent = kernel.send("%%step s\nx = [3]\nprint('begun')\nimport time\ntime.sleep(60)")
    kernel.follow(sent, until=lambda ran: "begun" in ran.stdout)
    kernel.kill()
    kernel.restart()
    look = "import zennb\n[(run.id, run.kind, run.status.value, dict(run.names)) for run in zennb.runs()]"
    assert kernel.value(look) == "[(1, 'session', 'interrupted', {'before': 'completed'})]"
    assert kernel.value("[each.name for each in zennb.artifacts()]") == "['a']"
    assert "interrupted" in kernel.run("%runs")[0].text
    (ran,) = kernel.run("%%step s\nx = [3]")
    assert ran.status == "completed"
    assert kernel.value("[(run.id, run.status.value) for run in zennb.runs()]") == (
        "[(2, 'completed'), (1, 'interrupted')]"
    )


def test_two_kernels_at_once_lose_nothing(kernel: Kernel, kernels: Callable[[], Kernel]) -> None:
    other = kernels()
    loop = (
        "for n in range(15):\n    get_ipython().run_cell(f'%%step shared\\nv = [{who}, {n}]').raise_error()"
    )
    sent = [
        (each, each.send(f"who = {n}\n{loop.replace('{who}', str(n))}"))
        for n, each in enumerate((kernel, other))
    ]
    for each, message in sent:
        ran = each.follow(message)
        assert ran.reply["status"] == "ok", ran.traceback
    assert kernel.value(
        "import zennb\nsorted(each.version for each in zennb.artifacts('v', limit=99)) == list(range(1, 31))"
    ) == ("True")
    look = "[(run.kind, run.status.value, dict(run.record.steps)) for run in zennb.runs(limit=99)]"
    sessions = [("session", "completed", {"completed": 15})] * 2
    assert kernel.value(f"{look} == {sessions}") == "True"


def test_an_instance_of_a_notebook_class_says_which_cell_it_needs(kernel: Kernel) -> None:
    defines = "%%step shapes\nclass Model:\n    def __init__(self, w): self.w = w"
    kernel.run(defines, "%%step fit\nm = Model([1, 2])")
    kernel.restart()
    early = kernel.cell("import zennb\nzennb.load('m')")
    assert early.reply["status"] == "error"
    assert "Model" in early.traceback
    assert "run the cell that defines Model" in early.traceback
    assert len(early.traceback.splitlines()) == 1
    kernel.run(defines)
    assert kernel.value("zennb.load('m').w") == "[1, 2]"
    assert kernel.value("type(zennb.load('m')) is Model") == "True"


def test_an_instance_of_a_class_of_a_plain_cell_names_the_class(kernel: Kernel) -> None:
    plain = "class Point:\n    x = 3"
    kernel.run(plain, "%%step s\np = Point()\np.y = 4")
    kernel.restart()
    early = kernel.cell("import zennb\nzennb.load('p')")
    assert "Point" in early.traceback
    kernel.run(plain)
    assert kernel.value("zennb.load('p').y") == "4"


def test_resetting_the_namespace_leaves_steps_working(kernel: Kernel) -> None:
    kernel.run("%%step a\nx = 1", "%reset -f")
    assert kernel.value("'x' in globals()") == "False"
    (ran,) = kernel.run("%%step a\nx = 1")
    assert ran.status == "cached"
    assert kernel.value("x") == "1"
    (uses,) = kernel.run("%%step b\ny = x + 1")
    assert uses.status == "completed"


def test_loading_the_extension_again_changes_nothing(kernel: Kernel) -> None:
    kernel.run("%%step a\nx = 1", "%load_ext zennb", "%reload_ext zennb", "%reload_ext zennb")
    (ran,) = kernel.run("%%step a\nx = 1\n")
    assert ran.status == "cached"
    assert len([message for message in ran.messages if message.facts]) == 1
    printed, result = kernel.run("%%step b\nprint('once')", "%%step c\ny = 2\ny")
    assert (printed.stdout, result.result) == ("once\n", "2")
    kernel.run("%unload_ext zennb")
    assert "not found" in kernel.cell("%%step a\nx = 1").stderr
    kernel.run("%load_ext zennb")
    assert kernel.run("%%step b\nprint('once')")[0].stdout == "once\n"


def test_an_edited_module_runs_again_what_reaches_it(kernel: Kernel) -> None:
    module = kernel.folder / "mylib.py"
    module.write_text("RATE = 2\n\n\ndef scaled(v):\n    return v * RATE\n\n\ndef other(v):\n    return -v\n")
    kernel.run("%load_ext autoreload\n%autoreload 2", "import mylib")
    cells = ("%%step uses\na = mylib.scaled(3)", "%%step apart\nb = mylib.other(3)")
    kernel.run(*cells)
    assert [ran.status for ran in kernel.run(*cells)] == ["cached", "cached"]
    module.write_text(module.read_text().replace("RATE = 2", "RATE = 50"))
    uses, apart = kernel.run(*cells)
    assert (uses.status, apart.status) == ("completed", "cached"), (uses.reason, apart.reason)
    assert "RATE" in uses.reason
    assert kernel.value("a") == "150"
