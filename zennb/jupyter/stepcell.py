"""Owns one execution of a `%%step` cell in the kernel: decided, run natively or taken over, recorded, shown."""

from __future__ import annotations

import ast
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.digest import look, looking
from zennb.core.effects import Effect
from zennb.core.records import Status, Step
from zennb.core.settings import setting_lines
from zennb.core.source import definitions
from zennb.engine.anchored import anchored
from zennb.engine.calls import call_of
from zennb.engine.collect import Before, collect
from zennb.engine.deadline import awake, time_limit
from zennb.engine.perform import keep, seen_using
from zennb.engine.prepare import changed_code
from zennb.engine.recording import Recording
from zennb.engine.site import is_interrupt
from zennb.engine.surroundings import RESULT
from zennb.errors import (
    CannotDigest,
    MissingDefinition,
    StepRefused,
    StoreError,
    UntrustedArtifact,
    ZennbError,
)
from zennb.jupyter.cellrun import CellRun
from zennb.jupyter.frontend import Forgotten, is_kept
from zennb.jupyter.pending import only_bound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from zennb.core.decide import Verdict
    from zennb.core.digest import Look
    from zennb.core.records import Artifact
    from zennb.engine.definition import Definition
    from zennb.engine.prepare import Prepared
    from zennb.engine.site import Site
    from zennb.engine.surroundings import Found, Vigil
    from zennb.jupyter.live import LiveLine
    from zennb.jupyter.session import KernelSession

__all__ = ["StepCell"]

_NOT_A_HIT = (StoreError, UntrustedArtifact, MissingDefinition, StepRefused)


class StepCell:
    """A step cell from its first line to its status line.

    Args:
        session: the kernel's session.
        site: the stack it runs on.
        definition: the step.
    """

    def __init__(self, session: KernelSession, site: Site, definition: Definition) -> None:
        self._session, self._site, self.definition = session, site, definition
        self._namespace = session.namespace
        self._started = time.time()
        self._clock = time.perf_counter()
        self._taps = ExitStack()
        self._recording = Recording()
        self._tries = definition.options.retries
        self._prepared: Prepared | None = None
        self._verdict: Verdict | None = None
        self._run = CellRun(site, started=self._started)
        self._live: LiveLine | None = None
        self._before: Before | None = None
        self._inputs: Mapping[str, Artifact] = {}
        self._vigil: Vigil | None = None
        self._result: object = None

    def begin(self) -> bool:
        """Decide; return True when the body is to be run by the shell now, False when all is done."""
        __tracebackhide__ = True
        self._prepared = self._session.prepare(self.definition)
        self._verdict = self._site.verdict(self._prepared)
        if self._verdict.reuse is not None and self._reused(self._verdict.reuse):
            return False
        self._load_pending()
        self._inputs = self._site.keep_inputs(self._prepared)
        self._live = self._session.live_line(
            self._site.bare_step(
                self._prepared, status=Status.RUNNING, reason=self._verdict.reason, started=self._started
            )
        )
        self._run.begin(self._live)
        if not self._site.orchestrator.in_kernel:
            self._run_elsewhere()
            return False
        self._before = Before(self._namespace, self.definition, self._prepared.reach.writes)
        self._start()
        return True

    def _load_pending(self) -> None:
        """Bind what the body reads and nobody has read yet; it is looked at again, now that it is at hand."""
        __tracebackhide__ = True
        session = self._session
        with session.lock:
            needed = session.pending.named_in(self.definition.source) - only_bound(self.definition.analysis)
            session.pending.load(needed)
        if needed:
            self._prepared = session.prepare(self.definition)

    def _start(self) -> None:
        """Make ready for the body: names in doubt out of the way, all that it shows recorded, its time limited."""
        assert self._before is not None
        self._recording = Recording(None if self._live is None else self._live.heard)
        self._before.hide()
        self._taps.enter_context(self._session.tap.listening(self._recording))
        self._taps.enter_context(time_limit(self.definition.options.timeout))
        self._taps.enter_context(awake())
        self._vigil = self._site.surroundings.watch()
        self._taps.callback(self._vigil.end)
        self._clock = time.perf_counter()

    def again(self) -> bool:
        """After an error in the body: whether to try once more (`--retries`), with all as before the first try."""
        error = sys.exception()
        if self._tries <= 0 or self._before is None or error is None or is_interrupt(error):
            return False
        self._tries -= 1
        self._taps.close()
        self._undo()
        return True

    def begin_again(self) -> bool:
        """Return True to run the body once more, after `again` said so; False once it has ended well."""
        if self.is_over:
            return False
        self._start()
        return True

    is_over = False

    def showed(self, value: object) -> None:
        """Note the value that the body has shown last, which IPython calls `_`."""
        self._result = value

    def finish(self) -> None:
        """After the body: keep what it left, record it, and show the status line.

        Raises:
            NotStorable: an output declared with `-o` is not there or cannot be stored.
        """
        __tracebackhide__ = True
        prepared, verdict, before, vigil = self._prepared, self._verdict, self._before, self._vigil
        assert prepared is not None
        assert verdict is not None
        assert before is not None
        assert vigil is not None
        seconds = time.perf_counter() - self._clock
        self._session.frontend.flush_figures()
        self._taps.close()
        before.show()
        inputs = {name: (prepared.values[name], prepared.looks[name]) for name in prepared.looks}
        collected = collect(self.definition, self._namespace, before=before, inputs=inputs)
        changed = changed_code(prepared, self._namespace)
        if not self._session.can_update and any(
            line.effect is Effect.FILES for line in self.definition.analysis.magics
        ):
            said = "its shell lines print through the terminal itself"
            collected = replace(collected, troubles=(*collected.troubles, said))
        if changed:
            said = f"it changes {', '.join(changed)}, which only running it does"
            collected = replace(collected, troubles=(*collected.troubles, said))
        defined = {name: self._namespace[name] for name in collected.defines}
        parts = anchored(collected.values, prepared.reach, defined)
        collected = replace(collected, troubles=(*collected.troubles, *parts))
        found = self._with_result(vigil.found(seen_using(prepared.uses, collected, self._recording)))
        made = keep(
            collected,
            found,
            shelf=self._site.shelf,
            recording=self._recording,
            definition=self.definition,
            seconds=seconds,
        )
        before.restore(collected.own)
        step = self._site.made_step(prepared, verdict, made, inputs=self._inputs, started=self._started)
        step = self._run.end(step, Status.COMPLETED)
        self._session.holdings.code_ran()
        self._hold_inputs(step, prepared, collected.unchanged)
        for name, (value, seen) in collected.values.items():
            if name in step.outputs:
                self._session.holdings.bind(name, value, step.outputs[name], seen)
        self._session.pending.forget(step.outputs)
        self._session.pending.expose(self.definition.source)
        self.is_over = True
        self._session.show_status(step)

    def fail(self, error: BaseException | None) -> None:
        """After an error or interrupt: nothing is bound, inputs are what they were, and the record says so."""
        self._taps.close()
        self.is_over = True
        restored = self._undo() if self._before is not None else []
        if self._prepared is None or self._verdict is None:
            return
        step = self._site.failed_step(
            self._prepared,
            self._verdict,
            error,
            started=self._started,
            seconds=time.perf_counter() - self._clock,
        )
        hint = self._session.hint(error)
        said = "; ".join(part for part in (hint, _say_restored(restored)) if part)
        step = self._run.end(replace(step, inputs=self._inputs), step.status)
        self._session.show_status(replace(step, reason=said))

    def _undo(self) -> list[str]:
        """Give back the bindings and inputs the body found; return the inputs it had changed."""
        if self._before is None or self._prepared is None:
            return []
        self._before.show()
        self._before.restore()
        changed = [name for name in self._prepared.looks if self._is_changed(name)]
        stored = {name: self._inputs[name] for name in changed if name in self._inputs}
        for name, value in self._site.shelf.fetch(stored).items():
            self._namespace[name] = value
            self._session.holdings.bind(name, value, stored[name], self._session.seen(stored[name], value))
        return list(stored)

    def _is_changed(self, name: str) -> bool:
        assert self._prepared is not None
        try:
            return look(self._prepared.values[name], name=name).digest != self._prepared.looks[name].digest
        except CannotDigest:
            return True

    def _reused(self, source: Step) -> bool:
        """Take over the results of `source`; False (with a new verdict) when they turn out not to be there."""
        assert self._prepared is not None
        assert self._verdict is not None
        shelf, pending = self._site.shelf, self._session.pending
        undo = self._site.surroundings.undo() if source.carried is not None else None
        try:
            displays = self._recorded(source)
            changes = shelf.fetch_changes(source.carried)
            large = pending.worth(source.outputs)
            now = {name: artifact for name, artifact in source.outputs.items() if name not in large}
            later = {name for name, artifact in now.items() if set(artifact.needs) & set(source.defines)}
            values = shelf.fetch({name: artifact for name, artifact in now.items() if name not in later})
            self._define(source, values, changes)
            values.update(shelf.fetch({name: now[name] for name in later}))
            with looking():
                looks = {name: self._session.seen(now[name], value) for name, value in values.items()}
        except (*_NOT_A_HIT, CannotDigest) as error:
            if undo is not None:
                undo()
            self._verdict = replace(self._verdict, reuse=None, reason=_brief(error))
            return False
        self._namespace.update(values)
        pending.forget((*values, *source.defines, *source.deletes))
        pending.postpone({name: source.outputs[name] for name in large}, shelf, step=self.definition.name)
        for name in source.deletes:
            self._namespace.pop(name, None)
        step = self._site.cached_step(
            self._prepared,
            self._verdict,
            source,
            started=self._started,
            seconds=time.perf_counter() - self._clock,
        )
        self._session.frontend.replay(displays)
        if any(event["kind"] == "result" for event in displays):
            self._session.frontend.remember(changes.get(RESULT, Forgotten(self.definition.name)))
        self._finish_elsewhere(self._run.end(step, Status.CACHED), values, looks)
        return True

    def _with_result(self, found: Found) -> Found:
        """Keep the value that was shown last, when it is a plain one, so that `_` is that value after reuse."""
        if self._result is None or not is_kept(self._result):
            return found
        return replace(found, changes={**found.changes, RESULT: self._result})

    def _recorded(self, source: Step) -> Recording:
        return Recording.load(self._site.store.get(source.displays)) if source.displays else Recording()

    def _define(
        self, source: Step, values: Mapping[str, Any], changes: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Set settings, and execute imports, functions and classes of the cell again, unseen; `values` are bound first.

        Raises:
            StepRefused: they cannot be executed again.
        """
        settings = setting_lines(self.definition.tree)
        statements = (
            definitions(self.definition.tree, source.defines, also=settings)
            if source.defines or settings
            else None
        )
        folder = Path.cwd() if settings else None
        self._site.surroundings.apply(changes)
        if not statements:
            return
        self._namespace.update(values)
        tree = ast.fix_missing_locations(ast.Module(body=list(statements), type_ignores=[]))
        code = compile(tree, self.definition.filename, "exec", dont_inherit=True)
        text = ast.unparse(tree)
        self._session.pending.load(self._session.pending.named_in(text))
        self._session.pending.expose(text)
        with self._session.tap.hushed(), _in_folder(folder or Path.cwd()):
            try:
                exec(code, self._namespace)
            except Exception as error:
                raise StepRefused(
                    f"its definitions could not be executed again ({type(error).__name__}: {error})"
                ) from error

    def _run_elsewhere(self) -> None:
        """Run the step where the stack's orchestrator runs things, wait for it, and bind what it made."""
        __tracebackhide__ = True
        prepared, verdict = self._prepared, self._verdict
        assert prepared is not None
        assert verdict is not None
        assert self._live is not None
        call = call_of(prepared, self._inputs, self._namespace)
        made = self._session.wait_for(self._site, call, retries=self._tries, heard=self._live.heard)
        if made.error is not None:
            self._clock = time.perf_counter() - made.seconds
            raise made.error
        step = self._run.end(
            self._site.made_step(prepared, verdict, made, inputs=self._inputs, started=self._started),
            Status.COMPLETED,
        )
        self._site.surroundings.adopt(made.found)
        values = self._site.shelf.fetch(step.outputs)
        self._define(step, values)
        self._namespace.update(values)
        with looking():
            looks = {name: self._session.seen(step.outputs[name], value) for name, value in values.items()}
        self._finish_elsewhere(step, values, looks)

    def _finish_elsewhere(self, step: Step, values: Mapping[str, Any], looks: Mapping[str, Look]) -> None:
        assert self._prepared is not None
        self._hold_inputs(step, self._prepared, self._prepared.values.keys() - step.outputs.keys())
        for name, value in values.items():
            self._session.holdings.bind(name, value, step.outputs[name], looks[name])
        self.is_over = True
        self._session.show_status(step)

    def _hold_inputs(self, step: Step, prepared: Prepared, unchanged: Collection[str]) -> None:
        """Note which artifacts the notebook's variables have become by being captured, where they still are those."""
        for name, artifact in step.inputs.items():
            if name in unchanged and name not in step.outputs:
                self._session.holdings.bind(name, prepared.values[name], artifact, prepared.looks[name])


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder for a while: lines such as `%cd data` go from where the cell began."""
    after = Path.cwd()
    if folder != after:
        os.chdir(folder)
    try:
        yield
    finally:
        if Path.cwd() != after:
            os.chdir(after)


def _say_restored(names: list[str]) -> str:
    if not names:
        return ""
    return ", ".join(f"`{name}`" for name in names) + " put back as before the step"


def _brief(error: ZennbError) -> str:
    """Return an error as a reason: its first sentence, without the full stop."""
    return error.message.split(". ")[0].rstrip(".")
