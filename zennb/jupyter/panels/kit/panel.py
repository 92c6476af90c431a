"""Owns `Panel`: the base class of panels, with a live widget and a static text and HTML representation."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

from IPython.display import display
from ipywidgets import Button, Text, Widget

from zennb.commands.dispatch import run
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.compat.notebook import answers_at_once
from zennb.errors import UsageError, ZennbError
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.message import Message, failure
from zennb.jupyter.panels.kit.theme import ONE_OF_TWO, PANEL, STYLE, keys
from zennb.views.links import address, parse
from zennb.views.markup import box, escape, muted, prose
from zennb.views.text import clean
from zennb.views.view import View, join
from zennb.worker_thread import WorkerClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from zennb.jupyter.panels.kit.panels import Panels
    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["Panel"]

_log = logging.getLogger(__name__)

_PANELS = "zennb.jupyter.panels."
"""The package whose objects are the parts of panels."""

_STATIC = ("text/plain", "text/html")

GONE = "not connected: this panel's kernel has ended, was restarted or cannot be reached. Run its cell again."
FOOT = "If nothing here reacts, the panel's kernel has gone: run its cell again."


class Panel(ABC):
    """A head with a refresh button, a line for messages, a body, and static representations.

    A panel holds no state of its own: it asks the workspace and the session each time, and runs the same commands as
    the magics. There is one object per kernel and kind (`Panels.open`); showing it again shows the same widgets. Widget
    callbacks may be called in another thread while a cell runs, so each is wrapped by `does`, which holds the lock that
    all panels of the kernel share.

    Attributes:
        message: the line for results and errors.
        pressed: the button that was pressed last.

    Args:
        panels: the panels of this kernel.
    """

    kind: ClassVar[str]
    """Its name in `Panels.open`: `picker`."""
    title: ClassVar[str]
    """Its heading."""
    command: ClassVar[str]
    """The line that shows it: `%stack picker`."""

    def __init__(self, panels: Panels) -> None:
        self.panels = panels
        self.message = Message()
        self.pressed: Button | None = None
        self._routes: dict[str, Callable[..., object]] = {}
        self._trail: list[str] = []
        # The script writes into this line the address of the link that was pressed, and a number that makes it new.
        self._link = Text(layout={"display": "none"})
        self._link.add_class("zennb-link")
        self._link.observe(self.does(self._follow_link), "value")
        self.body = self.build()
        self.back = self.button("Back", self._go_back, tip="Go back to what was shown before")
        self.back.disabled = True
        again = self.button("Refresh", self.refresh, tip="Look everything up again")
        head = bar(
            html(escape(self.title)),
            self.message.widget,
            self._link,
            self.back,
            again,
            classes="zennb-head zennb-live",
        )
        self.body.add_class("zennb-live")
        style, gone = html(STYLE, classes="zennb-none"), html(failure(GONE), classes="zennb-gone")
        self.root = group(
            style, keys(), gone, head, self.body, html(muted(FOOT), classes="zennb-foot"), classes=PANEL
        )
        answers_at_once(self.root)

    @abstractmethod
    def build(self) -> Widget:
        """Create the widgets of the body, once, without looking anything up."""

    @abstractmethod
    def refresh(self) -> None:
        """Look everything up again; keep what the user is typing."""

    @abstractmethod
    def view(self) -> Shown:
        """Return what the panel shows as a static view, for readers without a kernel."""

    def changed(self, change: Change) -> None:
        """Follow a change made in this kernel, on the thread that made it."""
        del change
        self.refresh()

    def cell_ran(self) -> None:
        """Follow the end of a cell: a step may have run."""
        self.refresh()

    def on_link(self, kind: str, action: Callable[..., object]) -> None:
        """Let `action` follow links of a kind; it is called with the parts of the address."""
        self._routes[kind] = action

    def begin_at(self, kind: str, *parts: object) -> None:
        """Note where the panel begins, so that the button Back leads there."""
        self._trail = [address(kind, *parts)]

    def go_to(self, kind: str, *parts: object) -> None:
        """Go where a link leads; the button Back leads here again.

        Raises:
            ZennbError: there is nothing there.
        """
        if kind not in self._routes:
            raise UsageError(
                f"this panel has no page for a {kind}: `%zennb` opens the dashboard, which has one."
            )
        self._lead(kind, *map(str, parts))
        place = address(kind, *parts)
        if not kind.startswith("unfold-") and self._trail[-1:] != [place]:
            self._trail.append(place)
            self.back.disabled = len(self._trail) < 2

    def _lead(self, kind: str, *parts: str) -> None:
        action = self._routes[kind]
        try:
            signature(action).bind(*parts)
        except TypeError:  # the page of a notebook may hold anything
            raise UsageError("this link leads nowhere.") from None
        action(*parts)

    def _follow_link(self) -> None:
        target, _, _ = self._link.value.rpartition("#")
        kind, parts = parse(target)
        if target:
            self.go_to(kind, *parts)

    def _go_back(self) -> None:
        if len(self._trail) > 1:
            del self._trail[-1]
            kind, parts = parse(self._trail[-1])
            self._lead(kind, *parts)
        self.back.disabled = len(self._trail) < 2

    def does(self, action: Callable[[], object]) -> Callable[..., None]:
        """Return a widget callback that clears the message and calls `action`; errors are shown in the panel."""

        def callback(*_event: object) -> None:
            with self.panels.lock:
                self.message.clear()
                self.attempt(action)

        return callback

    def attempt(self, action: Callable[[], object]) -> bool:
        """Call `action` with the lock held, show errors in the panel, and return whether it succeeded."""
        with self.panels.lock:
            try:
                action()
            except ZennbError as error:
                self.message.refuse(error)
            except WorkerClosedError:  # the process ends, and nobody sees the panel any more
                return False
            except Exception as error:  # noqa: BLE001 - a widget callback has no caller to raise to
                _log.exception("panel '%s'", self.kind)
                self.message.refuse(f"this went wrong in the panel ({type(error).__name__}: {error}).")
            else:
                return True
            finally:
                answers_at_once(self.root)  # the action may have created widgets
            return False

    def run(self, words: Sequence[str]) -> Outcome:
        """Run a command as its magic does, and show in the panel what was done.

        Raises:
            ZennbError: it could not be done.
        """
        outcome = run(words, Context(interface=Interface.MAGIC, session=self.panels.session))
        if outcome.sentence:
            self.message.say(outcome.sentence)
        return outcome

    def button(self, label: str, action: Callable[[], object], *, style: str = "", tip: str = "") -> Button:
        """Return a button that calls `action`; `style` is one of ipywidgets' (`primary`, `danger`)."""
        button = Button(description=label, button_style=style, tooltip=tip or label)
        act = self.does(action)

        def press(button: Button) -> None:
            with self.panels.lock:
                self.pressed = button
                act()

        button.on_click(press)
        return button

    def close(self) -> None:
        """Close every widget of the panel, also those of closed forms."""
        # ipywidgets holds every open widget in a registry, so what is not closed stays for the life of the kernel.
        for widget in list(_widgets(self, {id(self.panels): self.panels})):
            widget.close()

    @property
    def text(self) -> str:
        """The static text."""
        return self._static().text

    @property
    def html(self) -> str:
        """The static HTML."""
        return self._static().html

    def _static(self) -> View:
        note = f"This is how it stood when it was shown; run `{self.command}` for the panel itself."
        return join([self.view(), View(clean(note), box(muted(prose(note))))], gap=0)

    def _ipython_display_(self) -> None:
        """Show the static picture and, as an output of its own, the live panel; a style hides one of the two.

        Of one output with both, JupyterLab would choose the widget also where its model is gone, and show an error.
        """
        bundle = self._repr_mimebundle_()
        live = {mime: bundle.pop(mime) for mime in [*bundle] if mime not in _STATIC}
        bundle["text/html"] = f'{ONE_OF_TWO}<div class="zennb-static">{bundle["text/html"]}</div>'
        display(bundle, raw=True)
        display(live, raw=True)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return the refreshed live panel, and both static representations."""
        del include, exclude  # the frontend chooses; all representations are returned
        self.attempt(self.refresh)
        live = self.root._repr_mimebundle_()
        static = self._static()
        return {**live, "text/plain": static.text, "text/html": static.html}


def _widgets(thing: object, seen: dict[int, object]) -> Iterator[Widget]:
    """Yield every widget of a panel's parts, shown or not, with its children, layout and style."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    parts: Iterable[object] = ()
    if isinstance(thing, Widget):
        parts = [getattr(thing, name, None) for name in ("children", "layout", "style")]
        yield thing
    elif isinstance(thing, list | tuple):
        parts = thing
    elif isinstance(thing, dict):
        parts = thing.values()
    elif type(thing).__module__.startswith(_PANELS):
        parts = vars(thing).values()
    for each in parts:
        yield from _widgets(each, seen)
