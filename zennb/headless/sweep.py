"""Owns `sweep`: running the variants of a notebook that differ in parameters, several at a time."""

from __future__ import annotations

import copy
import re
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.reading.source import analyse
from zennb.core.secrets.names import DOTS, is_secret
from zennb.errors import UsageError, ZennbError
from zennb.headless.execute import Execution, execute
from zennb.headless.kernel import refuse_recursion, require_kernel
from zennb.headless.parameters import INJECTED, inject, step_trees
from zennb.headless.read import document, runs, step_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zennb.headless.step_line import StepLine
    from zennb.registry.workspace import Workspace

__all__ = ["MOST", "Sweep", "Variant", "out_paths", "sweep", "swept_values", "variants"]

MOST = 1000
"""Variants that one command runs."""

_UNFIT = re.compile(r"[^\w.+=,-]+")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant of a notebook.

    Attributes:
        parameters: swept parameter → text.
        out: where its executed notebook goes; None for nowhere.
    """

    parameters: Mapping[str, str]
    out: Path | None = None

    @property
    def label(self) -> str:
        """The variant in a line: `alpha=0.1, depth=3`; secrets are masked."""
        shown = {name: DOTS if is_secret(name, text) else text for name, text in self.parameters.items()}
        return ", ".join(f"{name}={text}" for name, text in shown.items())


@dataclass(slots=True, kw_only=True)
class Sweep:
    """The variants of a notebook that were to run, and what became of them.

    Attributes:
        variants: all of them, in order.
        executions: variant, by its place → its run; absent for one that did not begin.
        errors: variant, by its place → why it could not run.
        interrupted: whether the sweep was interrupted.
    """

    variants: Sequence[Variant]
    executions: dict[int, Execution] = field(default_factory=dict)
    errors: dict[int, ZennbError] = field(default_factory=dict)
    interrupted: bool = False


def swept_values(words: Sequence[str]) -> dict[str, list[str]]:
    """Return parameter → texts, of words such as `alpha=0.1,0.3`; commas in quotes and brackets separate nothing.

    Raises:
        UsageError: a word has another form, or a parameter comes twice.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        values = [value.strip() for value in _split(text)]
        if not (name.strip() and equals) or not all(values):
            raise UsageError(
                f"--sweep: '{word}' is not of the form NAME=VALUE,VALUE; type e.g. --sweep alpha=0.1,0.3."
            )
        if name.strip() in found:
            raise UsageError(
                f"--sweep: '{name.strip()}' comes twice; give all of its values at once, with commas."
            )
        found[name.strip()] = list(dict.fromkeys(values))
    return found


def _split(text: str) -> Iterator[str]:
    depth, quote, part = 0, "", ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "," and depth == 0:
            yield part
            part = ""
            continue
        else:
            depth = max(0, depth + (sign in _OPENING) - (sign in _CLOSING))
        part += sign
    yield part


def variants(path: Path, swept: Mapping[str, Sequence[str]], fixed: Mapping[str, str]) -> list[Variant]:
    """Return all variants, after checking that each of them can run.

    Raises:
        UnknownName: there is no such notebook, or it has no such variable.
        UsageError: a value does not fit the variable, or there are too many variants.
    """
    for name in swept:
        if name in fixed:
            raise UsageError(
                f"'{name}' has a value (-p) and is to have several (--sweep); take one of them out."
            )
    many = 1
    for values in swept.values():
        many *= len(values)
    if many > MOST:
        raise UsageError(f"--sweep: these are {many} variants, and one command runs {MOST} at most.")
    node = document(path)
    # One at a time: a value fits a variable whatever the others are.
    for name, values in swept.items():
        for value in values:
            inject(copy.deepcopy(node), {**fixed, name: value}, path=path)
    return [Variant(parameters=dict(zip(swept, values, strict=True))) for values in product(*swept.values())]


def out_paths(out: str | None, path: Path, found: Sequence[Variant]) -> list[Variant]:
    """Return the variants with the files that their executed notebooks are written to.

    Args:
        out: a folder, or a pattern with the names of parameters: `runs/alpha-{alpha}.ipynb`; None for nowhere.
        path: the notebook.
        found: the variants.

    Raises:
        UsageError: it is one file for all of them, or names something that is no parameter.
    """
    if out is None:
        return list(found)
    names = list(found[0].parameters)
    if "{" not in out and out.endswith(".ipynb") and not Path(out).is_dir():
        hint = "-".join(f"{{{name}}}" for name in names)
        raise UsageError(
            f"-o {out} is one file, and --sweep writes one per variant; name a folder, or say where the values go: "
            f"{out.removesuffix('.ipynb')}-{hint}.ipynb."
        )
    pattern = out
    if "{" not in out:
        pattern = str(Path(out) / "-".join([path.stem, *(f"{name}={{{name}}}" for name in names)])) + ".ipynb"
    made: dict[str, int] = {}
    paths = []
    for number, each in enumerate(found):
        texts = {
            name: f"value{number + 1}" if is_secret(name, text) else _UNFIT.sub("_", text)[:60]
            for name, text in each.parameters.items()
        }
        try:
            name = pattern.format(**texts)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise UsageError(
                f"-o {out}: {error} is not a swept parameter; known: {', '.join(names)}."
            ) from None
        if name in made and "{" in out and not all(f"{{{each}}}" in out for each in names):
            missing = ", ".join(f"{{{each}}}" for each in names if f"{{{each}}}" not in out)
            raise UsageError(f"-o {out} gives several variants the same file; add {missing}.")
        made[name] = made.get(name, 0) + 1
        file = Path(name)
        if made[name] > 1:  # values that differ only in signs that no file name has
            file = file.with_name(f"{file.stem}-{made[name]}{file.suffix}")
        paths.append(Variant(parameters=each.parameters, out=file))
    return paths


def sweep(
    path: Path,
    found: Sequence[Variant],
    *,
    fixed: Mapping[str, str],
    workers: int = 1,
    on_step: Callable[[Variant, StepLine], None] = lambda _variant, _line: None,
    on_end: Callable[[Variant, Execution], None] = lambda _variant, _execution: None,
    stack: str | None = None,
    timeout: float | None = None,
    workspace: Workspace | None = None,
    rerun: bool = False,
) -> Sweep:
    """Run variants of a notebook, each in a kernel and a run of its own.

    The others begin when the first one has come to the first step that depends on a swept parameter: until then all of
    them would compute the same, and now they reuse it. A variant that fails stops no other. Ctrl-C interrupts those
    that run, and those that wait do not begin.

    Args:
        path: the notebook.
        found: the variants.
        fixed: parameters that are the same for all.
        workers: how many run at a time.
        on_step: called for each status line of a step, from the thread of its variant.
        on_end: called when a variant has ended, from its thread.
        stack: as for `execute`.
        timeout: as for `execute`.
        workspace: as for `execute`.
        rerun: as for `execute`.
    """
    require_kernel()
    refuse_recursion(path)
    swept = Sweep(variants=found)
    first = _first_dependent(path, {**fixed, **found[0].parameters}, frozenset(found[0].parameters))
    shared, stopped = threading.Event(), threading.Event()
    interrupts: dict[int, Callable[[], None]] = {}

    def run(place: int) -> Execution | None:
        variant = found[place]
        if place:
            shared.wait()
        if stopped.is_set():
            return None
        try:
            execution = execute(
                path,
                stack=stack,
                parameters={**fixed, **variant.parameters},
                out=variant.out,
                on_cell=lambda start: shared.set() if start.number >= first else None,
                on_step=lambda line: on_step(variant, line),
                on_begin=lambda interrupt: interrupts.update({place: interrupt}),
                timeout=timeout,
                workspace=workspace,
                rerun=rerun,
            )
            on_end(variant, execution)
            return execution
        finally:
            interrupts.pop(place, None)
            shared.set()

    ended: set[Future[Execution | None]] = set()
    with ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="zennb-sweep") as pool, _ends():
        futures = {pool.submit(run, place): place for place in range(len(found))}
        while len(ended) < len(futures):
            try:
                ended |= wait(futures.keys() - ended, return_when=FIRST_COMPLETED).done
            except KeyboardInterrupt:
                # Once more ends the kernels: the first time was not enough.
                swept.interrupted = True
                stopped.set()
                shared.set()
                for interrupt in list(interrupts.values()):
                    interrupt()
    for future, place in futures.items():
        try:
            if (execution := future.result()) is not None:
                swept.executions[place] = execution
        except ZennbError as error:
            swept.errors[place] = error
    return swept


@contextmanager
def _ends() -> Iterator[None]:
    """Let a request to end this process end the kernels first, where this is the main thread."""

    def stop(number: int, _frame: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    asked: list[int] = []
    before: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # not the main thread
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if asked:
            signal.raise_signal(asked[0])


def _first_dependent(path: Path, parameters: Mapping[str, str], swept: frozenset[str]) -> int:
    """Return the number of the first step cell that a swept parameter can reach; 0 if there is no step before it."""
    node = document(path)
    inject(node, parameters, path=path)
    depends, number, steps = set(swept), 0, 0
    for cell in node.cells:
        if not runs(cell):
            continue
        number += 1
        is_step = step_name(cell.source) is not None
        if INJECTED in cell.get("metadata", {}).get("tags", ()):
            continue
        found = [analyse(tree) for tree in step_trees(cell.source)]
        # What cannot be read may use anything.
        if not found or any(
            each.dynamic or each.magics or not depends.isdisjoint(each.reads) for each in found
        ):
            if is_step:
                return number if steps else 0
            depends.update(name for each in found for name in each.binds)
        steps += is_step
    return number if steps else 0
