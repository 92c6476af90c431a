"""Owns the interrupt storm: random cells in a real kernel, an interrupt at a random moment, and what must hold after.

Each kind of cell exists in a few variants, and all that a cell binds carries its variant. So after an interrupt it is
plain to see whether a cell has bound everything (the new variant), nothing (the old one), or a part of it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.kernel.interrupts import STACKS, Latencies, cell_of, interrupt, stacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.conftest import Kernel

__all__ = ["CELLS", "Storm", "bare"]

VARIANTS = 6
WINDOW = 0.06
"""Seconds after a cell began in which it is interrupted."""

CELLS = {
    "small": "%%step small\np1 = {v}\np2 = [{v}] * 20\np3 = {{'v': {v}}}\ntmp = 1\ndel tmp",
    "coded": (
        "%%step coded\nimport numpy as np\n"
        "class Box:\n    v = {v}\n    def __init__(self):\n        self.w = {v}\n"
        "class Other(Box):\n    v = {v}\n"
        "def made():\n    return {v}\n"
        "box = Box()\nboxes = [Other(), Box()]\nc1 = {v}"
    ),
    "arrays": (
        "%%step arrays\nimport numpy as np\n"
        "big1 = np.full(400_000, {v})\nbig2 = np.full((300, 700), {v})\nparts = [np.full(3_000, {v}) for _ in range(5)]"
    ),
    "huge": "%%step huge\nimport numpy as np\nhuge1 = np.full(2_000_000, {v})\nhuge2 = huge1[::2]",
    "pickles": (
        "%%step pickles\nimport functools, numpy as np\n"
        "add = functools.partial(max, {v})\nlam = (lambda n: lambda: n)({v})\n"
        "class Item:\n    def __init__(self, v):\n        self.v, self.data = v, np.full(5_000, v)\n"
        "items = {{'a': Item({v}), 'b': [Item({v})]}}"
    ),
    "frames": (
        "%%step frames\nimport pandas as pd\n"
        "df = pd.DataFrame({{'a': range(4_000), 'v': {v}, 't': ['x{v}'] * 4_000}})\nmean = int(df['v'].mean())\n"
        "ser = df['v'] * 1"
    ),
    "settings": (
        "%%step settings\nimport os\n"
        "os.environ['STORM'] = '{v}'\nos.environ['STORM_TOO'] = '{v}'\nlevel = {v}\n"
        "def leveled():\n    return {v}"
    ),
    "changes": "%%step changes\nlog.append({v})\nlog.pop(0)\nlatest = {v}",
}
PIPELINES = ("%pipeline run", "%pipeline run --rerun", "%pipeline run --only coded", "%pipeline status")

HALF = """
import sys as _sys
from zennb.packages.half_imported import half_imported as _half
print("HALF", _half(ValueError(), ["numpy", "pandas"]))
"""
"""Asks for a library that an interrupt of the user's own import has left broken, as it does without zennb."""

CONTROL_HALF = """
import sys
loaded = [name.split(".")[0] for name in sys.modules]
print([each for each in ("numpy", "pandas") if each in loaded and each not in sys.modules])
"""
"""Asks for the same without zennb."""

HELPER = r"""
def _storm_state():
    import sys, os, signal, sqlite3, time
    shell = get_ipython()
    session = shell.zennb_step
    space = session.namespace
    read = {
        "p" "1": lambda x: x, "p" "2": lambda x: x[-1], "p" "3": lambda x: x["v"],
        "Bo" "x": lambda x: x.v, "Oth" "er": lambda x: x.v, "mad" "e": lambda x: x(), "bo" "x": lambda x: x.w,
        "box" "es": lambda x: x[1].w, "c" "1": lambda x: x,
        "big" "1": lambda x: int(x[-1]), "big" "2": lambda x: int(x[0, 0]), "par" "ts": lambda x: int(x[4][0]),
        "huge" "1": lambda x: int(x[0]), "huge" "2": lambda x: int(x[-1]),
        "ad" "d": lambda x: x.args[0], "la" "m": lambda x: x(), "item" "s": lambda x: int(x["b"][0].data[9]),
        "d" "f": lambda x: int(x["v"].iloc[9]), "mea" "n": lambda x: x, "se" "r": lambda x: int(x.iloc[3]),
        "leve" "l": lambda x: x, "level" "ed": lambda x: x(),
        "lo" "g": lambda x: x[-1], "lates" "t": lambda x: x,
    }
    with session.lock:
        session.load(list(session.lazy_outputs.names))
    state = {name: get(space[name]) if name in space else None for name, get in read.items()}
    state |= {f"${name}": int(os.environ.get(name, 0)) or None for name in ("STORM", "STORM_TOO")}
    from zennb import api
    metadata = api.workspace().metadata
    shown = metadata.runs(status="running")
    for _ in range(100):  # its end may be about to be recorded, and the machine busy
        if not shown:
            break
        time.sleep(0.1)
        shown = metadata.runs(status="running")
    claims = metadata._claims._claims
    runs = [f"{run.kind}, {time.time() - run.started:.1f} s old, {claims.get(run.id)}" for run in shown]
    with sqlite3.connect(f"file:{metadata.path}?mode=ro", uri=True) as database:
        running = [row[0] for row in database.execute("SELECT id FROM runs WHERE status = 'running'")]
    capture = session.capture
    wrong = {
        "namespace": shell.user_ns is not space or shell.user_ns is not shell.user_module.__dict__,
        "run shown as running": shown, "run recorded as running": running,
        "depth": session._depth != 1,
        "signal handler": signal.getsignal(signal.SIGINT) is not signal.default_int_handler,
        "capture": bool(capture._native or capture._routes or capture._is_muted or capture._is_silent),
        "stdout": "zennb" in type(sys.stdout).__module__ + getattr(vars(sys.stdout).get("write"), "__module__", ""),
        "lock": not session.lock.acquire(blocking=False),
    }
    wrong["lock"] or session.lock.release()
    return {"state": state, "wrong": sorted(name for name, is_wrong in wrong.items() if is_wrong), "runs": runs}
import json as _json
"""
PROBE = "import gc\ngc.collect()\nprint('STATE', _json.dumps(_storm_state()))\n'shown'"

GROUPS = {
    "small": ("p1", "p2", "p3"),
    "coded": ("Box", "Other", "made", "box", "boxes", "c1"),
    "arrays": ("big1", "big2", "parts"),
    "huge": ("huge1", "huge2"),
    "pickles": ("add", "lam", "items"),
    "frames": ("df", "mean", "ser"),
    "settings": ("level", "leveled", "$STORM", "$STORM_TOO"),
    "changes": ("log", "latest"),
}


DEFINED = {"Box", "Other", "made", "leveled"}


def bare(cell: str) -> str:
    """Return the cell without `%%step`, for a kernel without zennb."""
    return cell.partition("\n")[2] if cell.startswith("%%step") else "sum(range(3_000_000))"


class Storm:
    """Shots at one kernel after another; each violation is a sentence in `violations`.

    Beside it, a control kernel without zennb gets the same cells without `%%step`, and the same interrupts.

    Args:
        kernels: starts a kernel with zennb.
        controls: starts a kernel without it; None for no control.
        seed: of the random cells and moments.
    """

    def __init__(
        self, kernels: Callable[[], Kernel], controls: Callable[[], Kernel] | None, seed: int
    ) -> None:
        self._kernels, self._controls = kernels, controls
        self._control: Kernel | None = None
        self._random = random.Random(seed)
        self._kernel: Kernel | None = None
        self._state: dict[str, Any] = {}
        self._stored: set[tuple[str, int]] = set()
        self.violations: list[str] = []
        self.kinds: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.control_ends: Counter[str] = Counter()
        self.slowest: list[tuple[float, str]] = []
        self.latencies, self.control_latencies = Latencies(), Latencies()

    def begin(self) -> None:
        """Go on with a new kernel."""
        self.end()
        self._kernel = self._kernels()
        self._begin_control()
        self._kernel.run(STACKS, HELPER, "log = [0, 0]")
        state = self._probe("a new kernel")
        assert state is not None, self.violations
        self._state = state

    def end(self) -> None:
        """End the kernels."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def _begin_control(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control = None if self._controls is None else self._controls()
        if self._control is not None:
            self._control.run(STACKS, "log = [0, 0]")

    def shoot(self) -> None:
        """Run a random cell, interrupt it, and check what it left."""
        if self._kernel is None:
            self.begin()
        assert self._kernel is not None
        kind = self._random.choice([*CELLS, "pipeline"])
        variant = self._random.randrange(1, VARIANTS + 1)
        code = CELLS[kind].format(v=variant) if kind in CELLS else self._random.choice(PIPELINES)
        if kind == "changes":
            self._kernel.cell("log = [0, 0]")
            self._state["log"] = 0
        after = WINDOW * self._random.random() * self._random.choice((1.0, 1.0, 0.4, 0.1))
        label = f"{code.splitlines()[0]} v{variant}, {after * 1e3:.1f} ms"
        if self._control is not None:
            self.control_ends[interrupt(self._control, bare(code), after, self.control_latencies)] += 1
            try:
                is_half = "'" in cell_of(self._control, CONTROL_HALF).stdout
            except AssertionError:  # as kernels die now and then; messages to a dead one would block
                self.control_ends[f"then dead ({self._control.exit_code})"] += 1
                is_half = True
            if is_half:  # every later cell would fail there, and be no control
                self._begin_control()
        known = len(self.latencies.seconds)
        try:
            end = interrupt(self._kernel, code, after, self.latencies)
        except AssertionError as error:
            self._note("no prompt", f"{label}: {error}")
            self.end()
            return
        self.slowest += [(seconds, f"{label}: {end}") for seconds in self.latencies.seconds[known:]]
        self.slowest = sorted(self.slowest, reverse=True)[:8]
        self.ends[end] += 1
        if end == "dead":
            self._note(
                "crash", f"{label}: the kernel died ({self._kernel.exit_code})\n{stacks(self._kernel)}"
            )
            self._kernel = None
            return
        before, asked, state = self._state, self._kernel, self._probe(label)
        if state is None:
            if self._kernel is asked:  # else it goes on with a new one
                self.end()
            return
        self._state = state
        self._check(label, code, end, {**before}, state, variant)

    def _probe(self, label: str) -> dict[str, Any] | None:
        """Return what the notebook holds; None if the kernel does not answer any more."""
        assert self._kernel is not None
        library, ran = "", None
        try:
            library = cell_of(self._kernel, HALF).stdout.partition("HALF ")[2].strip()
            ran = cell_of(self._kernel, PROBE)
        except AssertionError as error:
            if not library:
                died = "died" in str(error)
                found = f"{label}: {str(error)[:200]}\n{stacks(self._kernel)}"
                self._note("crash" if died else "next cell", found)
                if died:
                    self._kernel = None
                return None
        if library:
            self.kinds[f"({library} imported by half)"] += 1
            if ran is not None and ("stored bytes" in ran.error or "LostOutput" in ran.error):
                self._note("blames what is stored", f"{label}: {ran.error}")
            self.begin()
            self._expect_stored()
            return None
        assert ran is not None
        line = next((text for text in ran.stdout.splitlines() if text.startswith("STATE ")), "")
        if not line:
            shown = f"{ran.reply.get('status')} {ran.shown} {ran.traceback[-600:]}"
            self._note("next cell", f"{label}: {shown}\n{stacks(self._kernel)}")
            return None
        found = json.loads(line.removeprefix("STATE "))
        for wrong in found["wrong"]:
            self._note(wrong, " ".join([label, *found["runs"]]))
        state: dict[str, Any] = found["state"]
        return None if found["wrong"] else state

    def _expect_stored(self) -> None:
        """After a library was imported by half: what was stored before is reused in a new kernel."""
        assert self._kernel is not None
        for group, variant in sorted(self._stored):
            if group in {"frames", "arrays"}:
                ran = self._kernel.cell(CELLS[group].format(v=variant))
                if ran.status != "cached":
                    self._note("made again", f"{group} v{variant}: {ran.status} {ran.reason} {ran.error}")
        state = self._probe("stored before")
        assert state is not None, self.violations
        self._state = state

    def _check(
        self, label: str, code: str, end: str, before: dict[str, Any], state: dict[str, Any], variant: int
    ) -> None:
        for group, names in GROUPS.items():
            is_own = code.startswith(f"%%step {group}\n")
            # A body that runs sets what it sets, as in a plain cell; only reuse sets all or nothing.
            is_reuse = is_own and (group, variant) in self._stored
            kept = [name for name in names if is_reuse or not name.startswith("$")]
            if not is_own:  # a pipeline binds values; functions and classes are bound by their cell
                kept = [name for name in kept if name not in DEFINED]
            was, now = {name: before[name] for name in kept}, {name: state[name] for name in kept}
            values = set(now.values())
            if is_own and values == {variant}:
                self._stored.add((group, variant))
                self.kinds["(bound, then interrupted)"] += end == "error" and was != now
            elif now == was:
                if is_own and end in {"ok", "ignored"}:
                    self._note("not bound", f"{label}: {now}")
            elif len(values) > 1:
                self._note("half bound", f"{label} ({end}, {'reuse' if is_reuse else 'run'}): {was} -> {now}")
            elif is_own or not code.startswith("%pipeline run"):
                self._note("wrong value", f"{label} ({end}): {was} -> {now}")

    def _note(self, kind: str, sentence: str) -> None:
        self.kinds[kind] += 1
        self.violations.append(f"{kind}: {sentence}")
        print(self.violations[-1], flush=True)  # at once: a long form may be stopped
