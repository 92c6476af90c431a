"""Owns `%load_ext zennb`: what is hooked into a shell, and taken out of it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.help import help_text
from zennb.commands.interface import Interface
from zennb.commands.step_options import STEP
from zennb.jupyter.cells.autostep import Autostep
from zennb.jupyter.cells.transform import CellTransformer, TreeTransformer
from zennb.jupyter.kernel import magics
from zennb.jupyter.kernel.completion import Completion
from zennb.jupyter.kernel.pipeline import PipelineSession
from zennb.jupyter.kernel.session import KernelSession

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load", "unload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hooks:
    session: KernelSession
    cells: CellTransformer
    trees: TreeTransformer
    autostep: Autostep
    pipeline: PipelineSession
    completion: Completion


def load(shell: Any) -> None:  # Any: our session and hooks are attributes of the shell
    """Make `%%step` and the magics work in this shell; loading twice is the same as once."""
    if getattr(shell, "zennb_hooks", None) is not None:
        return
    session = KernelSession(shell)
    cells = CellTransformer()
    autostep = Autostep()
    trees = TreeTransformer(
        session.mark_step,
        cells.source,
        lambda: shell.ast_node_interactivity,
        autostep.step,
        session.load_named,
    )
    shell.zennb_step = session
    shell.input_transformer_manager.cleanup_transforms.insert(0, cells)
    shell.ast_transformers.append(trees)
    shell.events.register("pre_run_cell", session.before_cell)
    shell.events.register("post_run_cell", session.after_cell)
    shell.events.register("pre_run_cell", autostep.before_cell)
    shell.events.register("post_run_cell", autostep.after_cell)
    shell.register_magic_function(_stub(shell), magic_kind="cell", magic_name="step")
    pipeline = session.pipeline = PipelineSession(session, autostep)
    shell.events.register("post_run_cell", pipeline.panels.cell_ran)
    magics.register(shell, pipeline, silence=session.capture.silenced)
    api.set_session(pipeline)
    shell.zennb_hooks = _Hooks(
        session=session,
        cells=cells,
        trees=trees,
        autostep=autostep,
        pipeline=pipeline,
        completion=Completion(shell, pipeline),
    )


def unload(shell: Any) -> None:  # Any: as above
    """Take everything out of the shell again; stored results stay."""
    hooks: _Hooks | None = getattr(shell, "zennb_hooks", None)
    if hooks is None:
        return
    shell.events.unregister("pre_run_cell", hooks.session.before_cell)
    shell.events.unregister("post_run_cell", hooks.session.after_cell)
    shell.events.unregister("pre_run_cell", hooks.autostep.before_cell)
    shell.events.unregister("post_run_cell", hooks.autostep.after_cell)
    shell.events.unregister("post_run_cell", hooks.pipeline.panels.cell_ran)
    hooks.pipeline.panels.close()
    shell.input_transformer_manager.cleanup_transforms.remove(hooks.cells)
    shell.ast_transformers.remove(hooks.trees)
    hooks.completion.remove()
    magics.unregister(shell)
    shell.magics_manager.magics["cell"].pop("step", None)
    api.set_session(None)
    hooks.session.monitor.close()
    hooks.session.capture.remove()
    shell.zennb_step = None
    shell.zennb_hooks = None


def _stub(shell: Any) -> Callable[[str, str], None]:
    """Return what `%lsmagic`, `%%step?` and completion see; the cell itself is prepared before it gets here."""

    def step(line: str, cell: str) -> None:
        result = shell.run_cell(f"%%step {line}\n{cell}")
        result.raise_error()

    step.__doc__ = help_text(STEP, ("%step",), interface=Interface.MAGIC)
    return step
