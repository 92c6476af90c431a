"""Owns the commands for homes that went wrong: `doctor`, `doctor --repair` and `reopen`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.core.records.pages import RunFilter
from zennb.engine.step.running import is_step_running
from zennb.errors import StepRefused, StoreError, StoreGone, UsageError, ZennbError
from zennb.views.examination import LOST, REPAIR, examination_view
from zennb.views.text import plural

if TYPE_CHECKING:
    from zennb.recovery.examination import Examination
    from zennb.recovery.repair import Repair
    from zennb.registry.workspace import Workspace

__all__ = ["PARTS"]


@verb(
    "examine the home: what is damaged, missing, foreign or unreferenced in it",
    Argument("--repair", "bring back what is intact, and move aside what is not; deletes nothing", type=bool),
    examples=("doctor", "doctor --repair"),
)
def _doctor(context: Context, *, repair: bool) -> Outcome:
    from zennb.materializers.signer import Signer
    from zennb.recovery.examination import examine_home
    from zennb.recovery.repair import repair_home

    home = api.home()
    if repair:
        _refuse_inside_step("repair")
        api.close()  # what is repaired must not be open
        try:
            return _repaired(repair_home(home, signer=Signer()))
        finally:
            if context.session is not None:
                context.session.forget_records()
    found = examine_home(home, signer=Signer())
    error = None if found.is_well else StoreError(_verdict(found))
    return Outcome(view=_view(found, done=()), data=_data(found), code=0 if error is None else 1, error=error)


@verb(
    "open the home again after it was moved, replaced or repaired, and forget what was known of its records",
    examples=("reopen",),
    interfaces=frozenset({Interface.MAGIC}),
)
def _reopen(context: Context) -> Outcome:
    if context.session is None:
        raise UsageError("there is no notebook session here yet; type `%load_ext zennb` first.")
    _refuse_inside_step("reopen")
    from zennb.materializers.signer import Signer
    from zennb.recovery.repair import repair_home

    before, done = api.home(), list[str]()
    if _is_cut():
        api.close()
        done = repair_home(before, signer=Signer()).done
    opened = api.reopen()
    context.session.forget_records()
    said = " ".join([*done, _opened(opened, before=str(before))])
    return Outcome(view=message_view(said), data={"home": str(opened.home)})


def _refuse_inside_step(what: str) -> None:
    if is_step_running():
        raise StepRefused(
            f"a step is running, which could not be recorded then; {what} the home in a cell of its own."
        )


def _is_cut() -> bool:
    """Whether a file of the home that this process has open was cut short."""
    try:
        opened = api.workspace()
        opened.metadata.stack(opened.active)
        opened.opened().store.present(["0" * 64])
    except StoreGone as error:
        return error.is_cut
    except ZennbError:
        pass  # reopening says more
    return False


def _opened(opened: Workspace, *, before: str) -> str:
    runs = opened.metadata.listings.runs(RunFilter(), limit=1).total
    where = f"{opened.home} is open"
    if str(opened.home) != before:
        where = f"{before} is gone, and {opened.home} is open, as in a new kernel"
    on_record = f"{plural(runs, 'run')} {'is' if runs == 1 else 'are'} on record there"
    return f"{where}; {on_record}. Variables keep their values; run a step to record it again."


def _repaired(repair: Repair) -> Outcome:
    found = repair.after
    error = None if repair.is_well else StoreError(_verdict(found))
    data = {**_data(found), "done": repair.done, "aside": None if repair.aside is None else str(repair.aside)}
    done = repair.done or ["Nothing had to be done."]
    return Outcome(
        view=_view(found, done=done),
        data=data,
        code=0 if error is None else 1,
        sentence=" ".join(done),
        error=error,
    )


def _verdict(found: Examination) -> str:
    wrong = [each for each in found.findings if each.is_wrong]
    advice = LOST if all(each.is_lost for each in wrong) else f"{REPAIR}."
    return f"{len(wrong)} {'things are' if len(wrong) > 1 else 'thing is'} wrong in {found.home}. {advice}"


def _view(found: Examination, *, done: Any) -> Any:
    return examination_view(
        str(found.home),
        exists=found.exists,
        findings=found.findings,
        records=found.records,
        stores=[(str(store.root), len(store.sizes), sum(store.sizes.values())) for store in found.stores],
        backups=len(found.backups),
        done=done,
    )


def _data(found: Examination) -> dict[str, Any]:
    return {
        "home": str(found.home),
        "exists": found.exists,
        "is_well": found.is_well,
        "records": found.records,
        "findings": plain(found.findings),
        "stores": [
            {"path": str(store.root), "blobs": len(store.sizes), "bytes": sum(store.sizes.values())}
            for store in found.stores
            if store.exists
        ],
        "backups": [str(backup) for backup in found.backups],
    }


PARTS = (_doctor, _reopen)
