"""Owns the machine that edits and runs a notebook at random, and counts what happened."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.reuse.kinds import DRAWS, HERE, NOT_AGAIN, READERS
from tests.reuse.notebook import CELLS, DATA, FILES, PACKAGES, SEEDED
from tests.reuse.pair import Action, Difference, Pair, minimal

if TYPE_CHECKING:
    from tests.reuse.pair import Ran, Warm

__all__ = ["Counts", "Machine"]

SLOTS = tuple(CELLS)
PLACES = st.sampled_from([(slot, variant) for slot, variants in CELLS.items() for variant in variants])
RESULTS = tuple(slot for slot in SLOTS if slot.startswith("s_"))
PIPELINE = frozenset(RESULTS) - NOT_AGAIN - {"s_random", "s_shell"}
"""What is run as a pipeline: numbers drawn again would be others, and shell lines print past it."""

SOME_SLOTS = st.sets(st.sampled_from(SLOTS))


class Counts:
    """What happened, over all runs of the machine."""

    def __init__(self) -> None:
        self.rounds = 0
        self.statuses = Counter[str]()
        self.unchanged = 0
        self.needless = Counter[str]()
        self.every_time = Counter[str]()
        self.elsewhere = 0
        self.refused = Counter[str]()

    @property
    def share(self) -> float:
        """Of the steps that ran again although nothing they depend on had changed, the share that was executed."""
        return sum(self.needless.values()) / max(1, self.unchanged)

    def note(self, name: str, ran: Ran, *, known: set[str]) -> None:
        """Note what a step cell did; `known` are the truths of steps that were recorded before."""
        status, reason = str(ran.facts["status"]), str(ran.facts["reason"])
        if ran.refused:
            self.refused[f"{name}: {ran.refused}"] += 1
        self.statuses[status] += 1
        if reason.startswith("not cacheable"):
            self.every_time[reason] += 1
            return
        if ran.truth in known:
            self.unchanged += 1
            if status != "cached":
                self.needless[f"{name}: {reason}"] += 1
        if "not cacheable" not in str(ran.facts["said"]):
            known.add(ran.truth)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.rounds} rounds; steps: {dict(self.statuses)}",
                f"of {self.unchanged} steps with nothing changed, {self.needless.total()} ran ({self.share:.2%})",
                *(f"  needlessly {number}: {why}" for why, number in self.needless.most_common(30)),
                *(f"  by rule {number}: {why}" for why, number in self.every_time.most_common(30)),
                f"of {self.elsewhere} steps for another process, {self.refused.total()} were refused there",
                *(f"  refused {number}: {why}" for why, number in self.refused.most_common(30)),
            ]
        )


class Machine(RuleBasedStateMachine):
    """A notebook that is edited and run at random."""

    warm: ClassVar[Warm]
    counts: ClassVar[Counts]
    elsewhere: ClassVar[bool] = False
    """Whether two of three steps run in another process."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair(self.warm, elsewhere=self.elsewhere)
        self.texts = {slot: variants[0] for slot, variants in CELLS.items()}
        self.known: set[str] = set()
        self.story: list[Action] = []
        self.autoreload = False

    def teardown(self) -> None:
        """End both kernels."""
        self.pair.close()

    def do(self, verb: str, name: str = "", text: str = "") -> None:
        """Do the same to both kernels; a difference is told with the shortest story that leads to it."""
        # Of a weak proxy nobody elsewhere can tell anything.
        is_here = name in HERE or "weakref.proxy" in self.texts.get(name, "")
        if verb == "step" and self.elsewhere and len(self.story) % 3 and not is_here:
            verb = "elsewhere"
            self.counts.elsewhere += 1
        self.story.append(Action(verb, name, text))
        try:
            ran = self.pair.do(self.story[-1])
        except Difference as difference:
            raise AssertionError(minimal(self.warm, self.story, difference)) from None
        if ran is not None:
            self.counts.rounds += 1
            if verb != "cell" and not ran.error:
                self.counts.note(name, ran, known=self.known)

    # What happens around the notebook

    @initialize(version=st.sampled_from(sorted(PACKAGES)), autoreload=st.integers(0, 2))
    def begin(self, version: str, autoreload: int) -> None:
        self.autoreload = not autoreload
        for name, variants in FILES.items():
            self.do("file", name, variants[0])
        for name in ("data.txt", "data.csv", "folder/one.txt"):
            self.do("file", name, DATA[name][0])
        self.do("install", version)
        self.restart(killed=False)

    @rule(killed=st.booleans())
    def restart(self, *, killed: bool) -> None:
        self.do("kill" if killed else "restart")
        self.do("cell", "seeded", SEEDED)
        if self.autoreload:
            self.do("cell", "autoreload", "%load_ext autoreload\n%autoreload 2")

    @rule(version=st.sampled_from(sorted(PACKAGES)))
    def upgrade(self, version: str) -> None:
        self.do("install", version)

    @rule(place=st.sampled_from([(name, text) for name, texts in FILES.items() for text in texts]))
    def edit_module(self, place: tuple[str, str]) -> None:
        self.do("file", *place)

    @rule(place=st.sampled_from([(name, text) for name, texts in DATA.items() for text in texts]))
    def edit_data(self, place: tuple[str, str]) -> None:
        self.do("file", *place)

    # What happens in the notebook

    def run(self, slot: str, *, step: bool) -> None:
        """Run a cell as it is now."""
        self.do("step" if step else "cell", slot, self.texts[slot])

    @rule(edits=st.lists(PLACES, min_size=1, max_size=4))
    def edit(self, edits: list[tuple[str, str]]) -> None:
        self.texts.update(edits)

    @rule(edits=st.lists(st.tuples(PLACES, st.booleans()), min_size=1, max_size=8))
    def edit_and_run(self, edits: list[tuple[tuple[str, str], bool]]) -> None:
        for (slot, text), step in edits:
            self.texts[slot] = text
            self.run(slot, step=step)

    @rule(slots=st.lists(st.tuples(st.sampled_from(SLOTS), st.booleans()), min_size=1, max_size=8))
    def run_some(self, slots: list[tuple[str, bool]]) -> None:
        for slot, step in slots:
            self.run(slot, step=step)

    @rule(slots=st.lists(st.sampled_from(RESULTS), min_size=1, max_size=8))
    def run_steps(self, slots: list[str]) -> None:
        for slot in slots:
            self.run(slot, step=True)

    @rule(some=SOME_SLOTS, steps=st.booleans(), left_out=st.sets(st.sampled_from(SLOTS), max_size=5))
    def run_from_the_top(self, some: set[str], left_out: set[str], *, steps: bool) -> None:
        for slot in SLOTS:
            # A cell that lacks a module stops half-way, and what a step has changed by then is taken back.
            if slot not in left_out - {"imports"}:
                self.run(slot, step=(slot in some) is steps)

    @rule(killed=st.booleans(), rerun=st.booleans())
    def run_the_pipeline(self, *, killed: bool, rerun: bool) -> None:
        """Run the notebook from the top, its results as steps, and then these as a pipeline."""
        self.restart(killed=killed)
        left = READERS if "'folder'" in self.texts["folder"] else frozenset[str]()
        for slot in SLOTS:
            self.run(slot, step=slot in PIPELINE - left and self.texts[slot] != DRAWS)
        self.do("pipeline", text="")
        if rerun:
            self.do("pipeline", text="--rerun")

    @rule(some=SOME_SLOTS, steps=st.booleans(), killed=st.booleans())
    def restart_and_run_all(self, some: set[str], *, steps: bool, killed: bool) -> None:
        self.restart(killed=killed)
        self.run_from_the_top(some, set(), steps=steps)
