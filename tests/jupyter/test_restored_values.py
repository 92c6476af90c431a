"""What a reused step gives back is what it made: the same as in a kernel without zennb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

IMPORTS = "import numpy as np, pandas as pd, sys, array"
NOISY = "class Noisy:\n    def __repr__(self):\n        print('aside')\n        return 'noisy'"
FAILING = "class Failing:\n    def __repr__(self): raise ValueError('no text')"

CASES = {
    "a list": ["%%step a\n1\n[1, 2]", "print(bool(_), len(_), _, type(_).__name__, Out[2])"],
    "an empty list": ["%%step a\n[]", "print(bool(_), len(_), _)"],
    "None is no value": ["'before'", "%%step a\nNone", "print(_)"],
    "a value after a semicolon": ["'before'", "%%step a\n[1];", "print(_)"],
    "an output": ["%%step a\nxs = [1]\nxs", "print(_ is xs, Out[2] is xs)"],
    "an input": ["ys = [1]", "%%step a\nz = 1\nys", "print(_ is ys)"],
    "a part of an output": ["%%step a\nxs = {'a': [1]}\nxs['a']", "_.append(2)\nprint(xs)"],
    "an attribute of an output": [
        "class Box: pass",
        "%%step a\nbox = Box()\nbox.items = [1]\nbox.items",
        "_.append(2)\nprint(box.items)",
    ],
    "a class": ["%%step a\nclass A: pass\nA", "print(_ is A)"],
    "a frame": [  # a copy, since `head` of pandas 2 is a view of `df`
        "%%step a\ndf = pd.DataFrame({'a': [1, 2]})\ndf.head(1).copy()",
        "print(_.shape, type(_).__name__)\n_",
    ],
    "a large output": ["%%step a\nbig = np.arange(90_000.)\nbig", "print(_ is big, _.sum())"],
    "a large output that is bound anew": [
        "%%step a\nbig = np.arange(90_000.)\nbig",
        "big = big[:2]\nprint(_.shape, _3.shape)",
    ],
    "an array of numpy's": ["%%step a\nnp.arange(3) * 2", "print(_.sum(), _.dtype)"],
    "an instance": [
        "class P:\n    x = 1\n    def __repr__(self): return 'P'",
        "%%step a\nP()",
        "print(_.x, type(_) is P)",
    ],
    "two values back": ["%%step a\n[1]", "%%step b\n[2]", "print(_, __, _2, _3)"],
    "by a computed name": ["%%step a\n[1]", "print(globals()['_'], eval('_2'))"],
    "read by a step": ["%%step a\n[1, 2]", "%%step b\nmore = _ + [3]\nmore", "print(more, _)"],
    "a text that prints": [NOISY, "%%step a\nnoisy = Noisy()\nnoisy", "noisy"],
    "a text that prints, of no name": [
        NOISY,
        "%%step a\nprint('before')\nNoisy()",
        "print(type(_).__name__)",
    ],
    "a text that fails": [FAILING, "%%step a\nfailing = Failing()\nfailing", "print(type(_).__name__)"],
    "it shows itself": [
        "class Shown:\n    def _ipython_display_(self): print('shown')",
        "%%step a\nx = 1\nShown()",
        "print(type(_).__name__)",
    ],
    "Fortran order": [
        "%%step a\nf = np.asfortranarray(np.arange(6).reshape(2, 3))",
        "print(f.ravel('K'), f.flags, f.strides)",
    ],
    "Fortran order is content": [
        "f = np.arange(6).reshape(2, 3)",
        "%%step a\nr = f.ravel('K')\nr",
        "f = np.asfortranarray(f)",
        "%%step a\nr = f.ravel('K')\nr",
    ],
    "elements apart": [
        "%%step a\nf = np.arange(20).reshape(4, 5)[:, :3]\ng = f.T",
        "print(f.ravel('K'), f.flags, f.strides, g.strides)",
    ],
    "a transposed cube": [
        "%%step a\nh = np.arange(24).reshape(2, 3, 4).transpose(0, 2, 1)[::-1]",
        "print(h.strides, h.ravel('K'), h.flags.c_contiguous)",
    ],
    "a column of a large array": [
        "%%step a\nc = np.zeros((40_000, 50))[:, 3]",
        "print(c.flags.c_contiguous, c.shape, c.sum())",
    ],
    "backwards": ["%%step a\nb = np.arange(5)[::-1]", "print(b.strides, b)"],
    "broadcast": [
        "%%step a\nb = np.broadcast_to(np.arange(3), (2, 3))",
        "print(b.strides, b.flags.writeable, b)",
    ],
    "arrays in a list": [
        "%%step a\nl = [np.asfortranarray(np.eye(2, 3)), np.arange(6)[::2]]",
        "print([each.strides for each in l])",
    ],
    "it may not be written to": ["%%step a\nr = np.arange(3)\nr.flags.writeable = False", "print(r.flags)"],
    "a map of a file": [
        "np.arange(4.).tofile('numbers.bin')",
        "%%step a\nm = np.memmap('numbers.bin', dtype='f8', mode='r+')",
        "m[1] = 7\nm.flush()\nprint(np.fromfile('numbers.bin'), type(m).__name__, m.filename is None, m.mode)",
    ],
    "a map that a step makes": [
        "%%step a\nm = np.memmap('made.bin', dtype='f8', mode='w+', shape=(2, 2))\nm[:] = 3",
        "print(m.mode, m.shape, np.fromfile('made.bin'))",
    ],
    "a part of a map": [
        "np.arange(6.).tofile('numbers.bin')",
        "%%step a\npart = np.memmap('numbers.bin', dtype='f8', mode='r+')[2:5]\nplain = np.asarray(part)",
        "plain[0] = 9\nprint(part, np.fromfile('numbers.bin'))",
    ],
    "a map with changes of its own": [
        "np.arange(4.).tofile('numbers.bin')",
        "%%step a\nm = np.memmap('numbers.bin', dtype='f8', mode='c')\nm[0] = 5",
        "print(m, np.fromfile('numbers.bin'))",
    ],
    "an array and its frame": [
        "%%step a\narr = np.arange(6.).reshape(3, 2)\ndf = pd.DataFrame(arr, copy=False)",
        "arr[0, 0] = 9\nprint(df.iloc[0, 0])\ndf.iloc[1, 1] = 8\nprint(arr)",
    ],
    "an array and its frame, made later": [
        "arr = np.arange(6.).reshape(3, 2)",
        "%%step a\ndf = pd.DataFrame(arr, copy=False)",
        "arr[0, 0] = 9\nprint(df.iloc[0, 0])",
    ],
    "an array changed under its frame": [
        "%%step a\narr = np.arange(6.).reshape(3, 2)\ndf = pd.DataFrame(arr, copy=False)",
        "%%step b\narr[0, 0] = 9",
        "print(df.iloc[0, 0])",
    ],
    "an array and its series": [
        "%%step a\narr = np.arange(3.)\ns = pd.Series(arr, copy=False)",
        "arr[0] = 9\nprint(s.iloc[0])",
    ],
    "bytes and their array": [
        "%%step a\nraw = bytearray(8)\nseen = np.frombuffer(raw, dtype='u1')",
        "raw[0] = 5\nprint(seen[0])\nseen[1] = 6\nprint(raw[1])",
    ],
    "bytes and their array, made later": [
        "raw = bytearray(8)",
        "%%step a\nseen = np.frombuffer(raw, dtype='u1')",
        "raw[0] = 5\nprint(seen[0])",
    ],
    "numbers of Python's and their array": [
        "%%step a\nraw = array.array('d', [1, 2])\nseen = np.asarray(raw)",
        "raw[0] = 5\nprint(seen[0])",
    ],
}


def _plain(cell: str) -> str:
    return cell.partition("\n")[2] if cell.startswith("%%step") else cell


def _shown(ran: Ran) -> str:
    return f"{ran.out}{ran.error!r}"


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
def test_it_is_the_same_plain_recorded_and_reused(notebook: Notebook, cells: list[str]) -> None:
    cells = [IMPORTS, *cells]
    plain = [_shown(notebook.cell(_plain(cell))) for cell in cells]
    for _ in range(3):
        notebook.restart()
        assert [_shown(notebook.cell(cell)) for cell in cells] == plain


RUNS_AGAIN = {"a map that a step makes", "a map with changes of its own", "a map of a file"}
"""Their last cell changes the file, or what was changed is nowhere else."""


@pytest.mark.parametrize("name", sorted(CASES.keys() - RUNS_AGAIN))
def test_and_the_steps_are_reused(notebook: Notebook, name: str) -> None:
    notebook.run(IMPORTS)
    for cell in CASES[name]:
        notebook.cell(cell)
    notebook.restart()
    notebook.run(IMPORTS)
    steps = [notebook.cell(cell) for cell in CASES[name]]
    assert {
        ran.status for ran, cell in zip(steps, CASES[name], strict=True) if cell.startswith("%%step")
    } == {"cached"}


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("(n for n in range(3))", "it is a generator"),
        ("xs = [1]\n(xs, 1)", "it shares state with `xs`"),
        ("'x' * 5_000_000", "it has more than 4 MB"),
        ("['sk-abcd1234abcd1234abcd']", "it looks secret"),
        ("import threading\nthreading.Lock()", "it is a lock"),
    ],
)
@pytest.mark.parametrize("reader", ["_ is None", "Out[1]", "%%step read\nread = _"])
def test_a_value_that_is_not_stored_is_refused_where_it_is_read(
    notebook: Notebook, cell: str, why: str, reader: str
) -> None:
    notebook.run(f"%%step show\n{cell}")
    notebook.restart()
    assert notebook.run(f"%%step show\n{cell}")[0].status == "cached"
    assert notebook.cell("for _ in range(2): pass").error is None
    notebook.restart()
    notebook.run(f"%%step show\n{cell}")
    error = notebook.cell(reader).error
    assert why in str(error)
    assert "step 'show' showed" in str(error)
    assert notebook.run(f"%%step show --rerun\n{cell}")[0].status == "completed"
    assert notebook.cell("print(_ is None)").error is None


def test_a_view_of_an_array_over_a_file_is_a_view_of_it_after_reuse(notebook: Notebook) -> None:
    made = (
        "%%step made\nnp.save('block.npy', np.arange(9))\n"
        "block = np.load('block.npy', mmap_mode='c')\nview = block[2::2]"
    )
    for _ in range(2):
        _, ran, _ = notebook.run(
            "import numpy as np", made, "block[4] = 77\nseen = int(view[1]), type(view).__name__"
        )
        assert notebook.ns["seen"] == (77, "memmap"), ran.status
        notebook.restart()
    assert ran.status == "cached"


def test_small_arrays_own_their_memory_again_and_views_have_them_as_base(notebook: Notebook) -> None:
    made = (
        "%%step make\na = np.zeros(4)\nb = a[:2]\nx, y = np.mgrid[:3, :3]\nf = np.asfortranarray(np.ones((2, 3)))\n"
        "g = f[0]\nxs = [np.zeros(4), {'c': np.ones((2, 3), order='F')}]"
    )
    seen = (
        "a.base is None, b.base is a, x.base is y.base, x.base.shape, f.base is None, g.base is f, "
        "f.flags.f_contiguous, xs[0].flags.owndata, xs[1]['c'].flags.owndata, xs[1]['c'].flags.f_contiguous"
    )
    notebook.run("import numpy as np", made)
    before = notebook.run(seen)[0].result
    notebook.restart()
    _, again, after = notebook.run("import numpy as np", made, seen)
    assert (again.status, after.result) == ("cached", before)
    notebook.run("xs[0].resize(6, refcheck=False)")
