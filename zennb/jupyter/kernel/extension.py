"""Owns `%load_ext zennb`: the hooks that it adds to a shell, and their removal."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.help import help_text
from zennb.commands.interface import Interface
from zennb.commands.step_options import STEP
from zennb.engine.background.live_curves import CurveWriter
from zennb.engine.background.run_files import RunFiles
from zennb.engine.delivery.telling import show_with
from zennb.engine.step.running import listen
from zennb.headless.handover import VARIABLE, handed_over
from zennb.jupyter.cells.autostep import Autostep
from zennb.jupyter.cells.transform import CellTransformer, TreeTransformer
from zennb.jupyter.kernel import magics
from zennb.jupyter.kernel.completion import Completion
from zennb.jupyter.kernel.pipeline import PipelineSession
from zennb.jupyter.kernel.session import KernelSession
from zennb.registry.registered_models import loaded_digest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load", "unload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hooks:
    session: KernelSession
    pipeline: PipelineSession
    completion: Completion
    undo: ExitStack


def load(shell: Any) -> None:  # Any: our session and hooks are attributes of the shell
    """Make `%%step` and the magics work in this shell; loading twice has no further effect."""
    if getattr(shell, "zennb_hooks", None) is not None:
        return
    undo = ExitStack()  # calls back in reverse order: what a hook uses is added before it
    session = shell.zennb_step = KernelSession(shell)
    undo.callback(session.capture.remove)
    undo.callback(session.provenance.close)
    undo.callback(session.monitor.close)
    undo.callback(listen(session.monitor.logged))
    if os.environ.get(VARIABLE):  # a notebook that is run headless, perhaps in the background
        curves = CurveWriter(partial(_background_files, session))
        undo.callback(curves.close)
        undo.callback(listen(curves.note))
    session.environment.settings.loaded = lambda name: loaded_digest(
        session.workspace, name, notebook=session.notebook or None
    )
    shell.configurables.append(session.quiet)  # for `%config ZennbAutostep`
    undo.callback(_remove, shell.configurables.remove, session.quiet)
    autostep = Autostep(lambda: session.depth)
    pipeline = session.pipeline = PipelineSession(session, autostep, session.background)
    undo.callback(pipeline.panels.close)
    cells = CellTransformer(partial(_prefiltered, shell))
    trees = TreeTransformer(
        session.mark_step,
        cells.source,
        lambda: shell.ast_node_interactivity,
        autostep.step,
        session.load_named,
        failed=session.refuse_later,
    )
    # Before IPython's own transformers, which would take `%%step` for a cell magic.
    shell.input_transformer_manager.cleanup_transforms.insert(0, cells)
    undo.callback(_remove, shell.input_transformer_manager.cleanup_transforms.remove, cells)
    shell.ast_transformers.append(trees)
    undo.callback(_remove, shell.ast_transformers.remove, trees)
    for event, callback in (
        ("pre_run_cell", session.before_cell),
        ("post_run_cell", session.after_cell),
        ("pre_run_cell", autostep.before_cell),
        ("post_run_cell", autostep.after_cell),
        ("post_run_cell", pipeline.panels.cell_ran),
        ("pre_run_cell", pipeline.annotations.save),
    ):
        shell.events.register(event, callback)
        undo.callback(_remove, shell.events.unregister, event, callback)
    shell.register_magic_function(_stub(shell), magic_kind="cell", magic_name="step")
    undo.callback(shell.magics_manager.magics["cell"].pop, "step", None)
    magics.register(shell, pipeline, silence=session.capture.silenced)
    undo.callback(magics.unregister, shell)
    undo.callback(show_with(session.say))
    api.set_session(pipeline)
    undo.callback(api.set_session, None)
    completion = Completion(shell, pipeline)
    undo.callback(completion.remove)
    # Last: only a complete set of hooks counts as loaded.
    shell.zennb_hooks = _Hooks(session=session, pipeline=pipeline, completion=completion, undo=undo)


def _background_files(session: KernelSession) -> RunFiles | None:
    """Return the files of the background run whose notebook this kernel runs; None for any other kernel."""
    workspace = session.workspace
    run = handed_over(workspace.metadata)
    files = None if run is None else RunFiles(workspace.home, run.id or 0)
    return files if files is not None and run is not None and files.state(run) is not None else None


def _prefiltered(shell: Any, line: str) -> str:
    """Return what IPython makes of a cell of one line: of `ls` a call of the magic, if no variable has the name."""
    if not line[:1].isalpha():
        return line
    with shell.builtin_trap:
        return str(shell.prefilter_manager.prefilter_lines(line))


def unload(shell: Any) -> None:  # Any: as above
    """Remove all hooks from the shell; stored results stay."""
    hooks: _Hooks | None = getattr(shell, "zennb_hooks", None)
    if hooks is not None:
        # First, so that `%load_ext` works again whatever the calls below raise.
        shell.zennb_step = shell.zennb_hooks = None
        hooks.undo.close()


def _remove(remove: Callable[..., object], *hook: object) -> None:
    """Remove a hook that the user, or IPython after an error, may have removed: `%reload_ext` brings it back."""
    with suppress(ValueError):
        remove(*hook)


def _stub(shell: Any) -> Callable[[str, str], None]:
    """Return the magic for `%lsmagic`, `%%step?` and completion; step cells are transformed before they reach it."""

    def step(line: str, cell: str) -> None:
        result = shell.run_cell(f"%%step {line}\n{cell}")
        result.raise_error()

    step.__doc__ = help_text(STEP, ("%step",), interface=Interface.MAGIC)
    return step
