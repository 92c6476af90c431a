"""Owns the figures that pyplot has open: a step may draw in them unasked, and leaves its own for the cells after it.

The inline backend closes all of them after each cell; others, such as Agg, keep them.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from zennb.compat.instances import is_a
from zennb.compat.pyplot import figure_of, managers, open_figure, registry
from zennb.core.records.observed import UNTOUCHED
from zennb.digests.digest import digest_value
from zennb.engine.environment.figure_contents import LARGEST, figure_content
from zennb.errors import CannotDigest, NotStorable, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from zennb.core.records.observed import Observed
    from zennb.core.records.records import Artifact, Step

__all__ = [
    "LARGEST",
    "OPEN_FIGURES",
    "PYPLOT",
    "FigureRecorder",
    "FigureState",
    "OpenFigures",
    "named_in",
    "numbers_of",
    "opened_again",
    "reopen",
]

OPEN_FIGURES = "open figures"
"""Name of the setting: what pyplot has open."""

PYPLOT = "figures of pyplot"
"""Entry of a step's changes: the figures that it left open."""

FigureState = tuple[tuple[Any, Any], ...]
"""Numbers and figures, the current one last."""


class _Loading(Protocol):
    """The part of an artifact repository that is used here."""

    def load(self, artifacts: Mapping[str, Artifact], /) -> Mapping[str, Any]:
        """Return the values of artifacts by name."""

    def load_unnamed(self, data: bytes) -> Any:
        """Return a value that is no output."""


_KEPT, _NAMED, _STORED = "kept", "named", "stored"


def _state() -> FigureState:
    return tuple((number, manager.canvas.figure) for number, manager in managers().items())


@dataclass(frozen=True, slots=True)
class OpenFigures:
    """The figures that pyplot has open (a `Setting`); steps carry them themselves, with their outputs."""

    name: str = OPEN_FIGURES
    modules: frozenset[str] = frozenset({"matplotlib"})
    matters: bool = False
    is_per_context: bool = False

    def read(self) -> FigureState | None:
        """Return the open figures."""
        return _state() or None

    def digest(self, seen: FigureState | None) -> str:
        """Return the digest of what they show."""
        if not seen:
            return UNTOUCHED
        return digest_value([(number, figure_content(figure)) for number, figure in seen]).digest

    def change(self, before: FigureState | None, after: FigureState | None) -> None:
        """Return None."""

    def apply(self, change: Any) -> None:
        """Do nothing."""


_lock = threading.Lock()
_originals: dict[tuple[Any, str], Any] = {}
_recorders: list[FigureRecorder] = []
"""Those that record now."""


def _noting(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pyplot's that tells the recorders what it is asked for, and what it finds."""

    def asked(*number: Any) -> Any:
        here = [each for each in _recorders if each.is_here]
        for each in here:
            each.asks(*number)
        manager = ask(*number)
        for each in here:
            each.gets(manager)
        return manager

    return asked


def _noting_ends(close: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pyplot's that tells the recorders which figure it closes, or that it closes all."""

    def closed(*number: Any) -> Any:
        for each in _recorders:
            if each.is_here:
                each.closes(*number)
        return close(*number)

    return closed


def _noting_lists(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pyplot's that tells the recorders if somebody else asks it which figures are open."""

    @wraps(ask)
    def asked(*args: Any, **more: Any) -> Any:
        if sys._getframe(1).f_globals.get("__name__") != "matplotlib.pyplot":  # noqa: SLF001 - nothing else tells
            for each in _recorders:
                if each.is_here:
                    each.lists()
        return ask(*args, **more)

    return asked


def _watched(listed: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield what stands in for functions of pyplot's while steps run: where, under which name, and what."""
    for name in ("get_active", "get_fig_manager"):
        yield listed, name, staticmethod(_noting(getattr(listed, name)))
    for name in ("destroy", "destroy_all"):
        yield listed, name, staticmethod(_noting_ends(getattr(listed, name)))
    pyplot = sys.modules.get("matplotlib.pyplot")
    for name in ("fignum_exists", "get_figlabels", "get_fignums"):
        if hasattr(pyplot, name):
            yield pyplot, name, _noting_lists(getattr(pyplot, name))


class FigureRecorder:
    """Records which of the open figures a step uses that it did not open itself."""

    def __init__(self) -> None:
        self._before = _state()
        self._is_loaded = registry() is not None
        self._found: str | None = None
        self._touched: dict[int, str] = {}
        self._closed: set[Any] = set()
        self._closed_all = False
        self._thread = 0

    def start(self) -> None:
        """Begin to record what this thread asks pyplot for."""
        listed = registry()
        if listed is None:
            return
        self._thread = threading.get_ident()
        with _lock:
            if not _recorders:  # once for all: steps in other threads end in any order
                for holder, name, function in list(_watched(listed)):
                    _originals[holder, name] = vars(holder)[name]
                    setattr(holder, name, function)
            _recorders.append(self)

    def stop(self) -> None:
        """Stop recording; calling it twice is fine."""
        with _lock:
            if self in _recorders:
                _recorders.remove(self)
                if not _recorders:
                    for (holder, name), original in _originals.items():
                        setattr(holder, name, original)
                    _originals.clear()

    def asks(self, *number: Any) -> None:
        """Note that the current figure, or the one with a number, is about to be asked for."""
        now = managers()
        # A figure is opened as none is open, or as none has that number. Where pyplot counts, it asks for the next.
        counted = 1 + max((each for each in now if isinstance(each, int)), default=0)
        if (number[0] not in {*now, counted}) if number else not now:
            self._found = self._found or OpenFigures().digest(self._before)

    def gets(self, manager: Any) -> None:
        """Note which figure was found."""
        figure = None if manager is None else manager.canvas.figure
        if figure is not None and any(figure is each for _, each in self._before):
            self._found = self._found or OpenFigures().digest(self._before)
            if id(figure) not in self._touched:
                self._touched[id(figure)] = figure_content(figure)

    def closes(self, *number: Any) -> None:
        """Note that all figures are about to be closed, or one that is not open: on reuse others may be."""
        if not number:
            self._closed_all = not _is_inline()
        elif type(number[0]) is int and number[0] not in managers():
            self._closed.add(number[0])

    def lists(self) -> None:
        """Note that the step asks which figures are open."""
        self._found = self._found or OpenFigures().digest(self._before)

    @property
    def is_here(self) -> bool:
        """Whether it records this thread."""
        return self._thread == threading.get_ident()

    def noted(self, observed: Observed, outputs: Mapping[str, Any]) -> Observed:
        """Return what was observed of the step, and what pyplot had open if the step used that.

        Args:
            observed: what else was observed.
            outputs: the outputs of the step: a figure among them may be a new version of an open one.
        """
        for value in outputs.values():
            self._touched.setdefault(id(figure_of(value)), "")
        after = _state()
        if not self._is_loaded and after:
            self._found = self._found or UNTOUCHED
        settings, left = {}, {}
        if self._found is not None:
            settings[OPEN_FIGURES] = self._found
        if self._has_changed(after):
            left[OPEN_FIGURES] = OpenFigures().digest(after)
        if not settings and not left:
            return observed
        return replace(observed, settings={**observed.settings, **settings}, left={**observed.left, **left})

    def _has_changed(self, after: FigureState) -> bool:
        if self._closed or self._closed_all:
            return True
        return self._ids(after) != self._ids(self._before) or any(self._is_changed(each) for _, each in after)

    @staticmethod
    def _ids(state: FigureState) -> list[tuple[Any, int]]:
        return [(number, id(figure)) for number, figure in state]

    def _is_changed(self, figure: Any) -> bool:
        known = self._touched.get(id(figure))
        return known is not None and known != figure_content(figure)

    def left_open(
        self,
        outputs: Mapping[str, Any],
        others: Iterable[Any],
        dump: Callable[..., bytes],
    ) -> dict[str, Any] | None:
        """Return how the figures that the step left open come back on reuse; None when it changed nothing.

        Args:
            outputs: the stored outputs of the step.
            others: the other values of the notebook.
            dump: `ArtifactRepository.dump_unnamed`.

        Raises:
            NotStorable: one of them cannot be given back.
        """
        after = _state()
        if not self._has_changed(after):
            return None
        before = {id(figure) for _, figure in self._before}
        names = {
            id(figure): name for name, value in outputs.items() if (figure := figure_of(value)) is not None
        }
        held = {id(figure) for value in others if (figure := figure_of(value)) is not None}
        notes: list[tuple[Any, str, Any]] = []
        for number, figure in after:
            if id(figure) in names:
                notes.append((number, _NAMED, names[id(figure)]))
            elif id(figure) in before and not self._is_changed(figure):
                notes.append((number, _KEPT, None))
            elif id(figure) in before and id(figure) in held:
                raise NotStorable(f"it draws in figure {number}, which other cells made")
            else:
                try:
                    stored = dump(figure, figure_content(figure), largest=LARGEST)
                except (CannotDigest, NotStorable) as error:
                    why = f"which holds {error.why}" if is_a(error, CannotDigest) else f"and {error.message}"
                    raise NotStorable(f"it leaves figure {number} of pyplot open, {why}") from error
                notes.append((number, _STORED, stored))
        gone = {number for number, _ in self._before} | self._closed
        gone -= dict(after).keys()
        new = [number for number, figure in after if id(figure) not in before]
        return {"figures": notes, "new": new, "closed": sorted(gone, key=str), "closed all": self._closed_all}


def _is_inline() -> bool:
    """Whether the backend closes all figures after each cell, so that none is open when a step begins."""
    return "inline" in str(getattr(sys.modules.get("matplotlib"), "rcParams", {}).get("backend", "")).lower()


def numbers_of(namespace: Mapping[str, Any], left: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return name → number of the open figure that a variable is, of those that a reused step binds anew."""
    numbers = {id(figure): number for number, figure in _state()} if left else {}
    found = {name: numbers.get(id(figure_of(namespace.get(name)))) for name in named_in(left)}
    return {name: number for name, number in found.items() if number is not None}


def opened_again(
    left: Mapping[str, Any],
    outputs: Mapping[str, Any],
    numbers: Mapping[str, Any],
    load: Callable[[bytes], Any],
) -> Callable[[], None]:
    """Return a function that opens the figures which a reused step left open.

    Args:
        left: what `FigureRecorder.left_open` returned.
        outputs: the outputs of the step.
        numbers: what `numbers_of` returned before they were bound.
        load: `ArtifactRepository.load_unnamed`.

    Raises:
        StoreError: one of them cannot be loaded.
    """
    figures: list[tuple[Any, Any, bool]] = []
    for number, kind, note in left["figures"]:
        is_new = number in left["new"]
        figure = load(note) if kind == _STORED else figure_of(outputs.get(note))
        if figure is None and kind != _KEPT:
            raise StoreError(f"figure {number}, which it leaves open, is not among its results.")
        figures.append((number if is_new else numbers.get(note, number), figure, is_new))

    def act() -> None:
        if not figures and registry() is None:
            return
        import matplotlib.pyplot as plt

        for number in ["all"] if left.get("closed all") else left["closed"]:
            plt.close(number)
        for number, figure, is_new in figures:
            known = managers()
            if (
                figure is not None
            ):  # a new one gets the next number if its own is taken, as it would without zennb
                open_figure(figure, max(known) + 1 if is_new and number in known else number)
            elif number in known:
                plt.figure(number)

    return act


def named_in(left: Mapping[str, Any] | None) -> set[str]:
    """Return the outputs of a step that are figures which it left open, or parts of them."""
    return {note for _, kind, note in left["figures"] if kind == _NAMED} if left else set()


def reopen(source: Step, changes: Mapping[str, Any], repository: _Loading) -> None:
    """Open the figures that a reused step left open, outside the notebook.

    Raises:
        StoreError, UntrustedArtifact, MissingDefinition: one of them cannot be loaded.
    """
    left = changes.get(PYPLOT)
    if left is not None:
        outputs = {name: source.outputs[name] for name in named_in(left) if name in source.outputs}
        opened_again(left, repository.load(outputs), {}, repository.load_unnamed)()
