"""Owns notebook runs in the background: how one is started, and its process, `python -m zennb.headless.background`."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Status
from zennb.core.secrets.literals import split_secrets
from zennb.engine.background.process import announce, launch, prepare_process, refuse_start
from zennb.engine.background.run_files import OutputLog, RunFiles, RunState
from zennb.errors import ZennbError
from zennb.headless.alerts import watched_run
from zennb.headless.execute import CellStart, execute, known_secrets
from zennb.headless.kernel import refuse_recursion, require_kernel
from zennb.headless.parameter_values import LiteralText
from zennb.headless.parameters import inject
from zennb.headless.read import document, notebook_text, runs, step_name
from zennb.provenance.cell_statements import statements
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Run
    from zennb.engine.step.recording import Event
    from zennb.headless.step_line import StepLine

__all__ = ["main", "start_notebook"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LIVE_ONLY = "application/vnd.jupyter.widget-view+json"


def start_notebook(
    path: str | Path,
    *,
    workspace: Workspace,
    stack: str | None,
    parameters: Mapping[str, str],
    rerun: bool = False,
    out: str | Path | None = None,
    timeout: float | None = None,
    notify: Sequence[str] = (),
) -> Run:
    """Start to run a notebook file in a process of its own, and return the run.

    The notebook is run as it is now, whatever happens to its file.

    Args:
        path: the notebook.
        workspace: where it is recorded.
        stack: as for `execute`.
        parameters: as for `execute`.
        rerun: as for `execute`.
        out: as for `execute`.
        timeout: as for `execute`.
        notify: who is told how it ends, as typed after `--notify`.

    Raises:
        UnknownName, BrokenNotebook, UsageError, MissingExtra, StepRefused: as `execute`.
    """
    path = Path(path)
    require_kernel()
    refuse_recursion(path)
    content = notebook_text(path)
    inject(document(path, content), parameters, path=path)  # only to see that they fit
    request = {
        "path": str(path),
        "home": str(workspace.home),
        "stack": stack,
        "parameters": {name: str(text) for name, text in parameters.items()},
        "literals": [name for name, text in parameters.items() if isinstance(text, LiteralText)],
        "rerun": rerun,
        "out": None if out is None else str(out),
        "timeout": timeout,
        "notify": list(notify),
        "content": content,
    }
    number = launch("zennb.headless.background", json.dumps(request).encode())
    run = workspace.metadata.run(number)
    assert run is not None  # it was recorded before it was announced
    return run


def main() -> int:
    """Run the notebook that is described on the standard input; return the exit code."""
    request = json.loads(prepare_process())
    workspace = Workspace(Path(request["home"]))
    sources = [cell.source for cell in document(request["path"], request["content"]).cells if runs(cell)]
    parameters: dict[str, str] = request["parameters"]
    parameters |= {name: LiteralText(parameters[name]) for name in request["literals"]}
    log = _Log(workspace, sources, parameters)
    try:
        with watched_run(workspace, request["notify"], request["path"], say=log.say) as ended:
            execution = execute(
                request["path"],
                stack=request["stack"],
                parameters=parameters,
                out=request["out"],
                timeout=request["timeout"],
                rerun=request["rerun"],
                workspace=workspace,
                content=request["content"],
                on_run=log.begin,
                on_cell=log.cell,
                on_step=log.step,
                on_output=log.output,
            )
            ended(execution)
    except ZennbError as error:
        log.fail(error)
        return 1
    finally:
        log.close()
        workspace.close()
    return 0 if execution.status.is_good else 1


class _Log:
    """Announces a run when it is on record, and writes what it does and shows.

    Args:
        workspace: where the run is recorded.
        sources: the texts of its cells.
        parameters: its parameters, which may be secret.
    """

    def __init__(self, workspace: Workspace, sources: Sequence[str], parameters: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._steps = tuple(dict.fromkeys(filter(None, map(step_name, sources))))
        self._secrets = known_secrets(parameters)
        for source in sources:  # those that are written out in a cell
            tree = ast.Module(body=statements(source) or [], type_ignores=[])
            self._secrets.note(split_secrets(tree)[1].values)
        self._log: OutputLog | None = None
        self._label = ""

    def begin(self, run: Run) -> None:
        """Note that the run is recorded."""
        files = RunFiles(self._workspace.home, run.id or 0)
        self._log = OutputLog(files, RunState(started=run.started, steps=self._steps), self._secrets)
        announce(files)

    def cell(self, start: CellStart) -> None:
        """Note a cell that is about to run."""
        self._label = start.step or f"cell [{start.number}] of {start.total}"
        if self._log is not None and start.step:
            self._log.step(start.step, Status.RUNNING.value)

    def step(self, line: StepLine) -> None:
        """Note how a step has ended."""
        if self._log is not None:
            self._log.step(
                line.step,
                line.status.value,
                reason=line.reason,
                seconds=line.seconds,
                outputs=list(line.outputs),
            )

    def output(self, _position: int, message: Any) -> None:
        """Note a message with output of a cell."""
        event = _event(message["msg_type"], message["content"])
        if event is not None and self._log is not None:
            self._log.output(self._label, event)

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        if self._log is not None:
            self._log.output(self._label, {"kind": "stream", "name": "stderr", "text": f"{sentence}\n"})

    def fail(self, error: ZennbError) -> None:
        """Say why the run did not begin, or could not go on."""
        if self._log is None:
            refuse_start(error.message)
        else:
            self.say(error.message)

    def close(self) -> None:
        """End the log."""
        if self._log is not None:
            self._log.close()


def _event(kind: str, content: Mapping[str, Any]) -> Event | None:
    """Return a message of a kernel as an output event; None for one that shows nothing, or a status line."""
    if kind == "stream":
        return {"kind": "stream", "name": content["name"], "text": content["text"]}
    if kind == "error":
        text = _ANSI.sub("", "\n".join(content.get("traceback") or ()))
        return {"kind": "stream", "name": "stderr", "text": f"{text}\n"}
    if kind == "clear_output":
        return {"kind": "clear", "wait": bool(content.get("wait"))}
    if kind not in {"display_data", "update_display_data", "execute_result"}:
        return None
    if "zennb" in content.get("metadata", {}):
        return None
    data = {mime: each for mime, each in content["data"].items() if mime != _LIVE_ONLY}
    shown = {"data": data, "metadata": dict(content.get("metadata", {}))}
    if kind == "execute_result":
        return {"kind": "result", **shown}
    number = str(content.get("transient", {}).get("display_id", ""))
    return {"kind": "display", **shown, "id": number, "update": kind == "update_display_data"}


if __name__ == "__main__":
    sys.exit(main())
