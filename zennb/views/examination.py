"""Owns the view of an examined home: what is in it, what is wrong, and what was done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.markup import block
from zennb.views.text import clean, plural, size
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.findings import Finding

__all__ = ["LOST", "REPAIR", "examination_view"]

REPAIR = "`zennb doctor --repair` brings back what is intact"
LOST = (
    "Bytes that are in no store come back when their step runs; `zennb artifacts forget --yes` takes the versions off "
    "the record."
)


def examination_view(
    home: str,
    *,
    exists: bool,
    findings: Sequence[Finding],
    records: Mapping[str, int],
    stores: Sequence[tuple[str, int, int]],
    backups: int,
    done: Sequence[str] = (),
) -> View:
    """Show a home.

    Args:
        home: its directory.
        exists: whether it is there.
        findings: what is not as zennb left it.
        records: how many runs, steps and artifacts are on record.
        stores: directory, blobs and bytes of each local artifact store.
        backups: how many backups of the records there are.
        done: what a repair did.
    """
    if not exists:
        text = f"{clean(home)} is not there yet; the first step makes it."
        return View(text, block(text))
    counted = ", ".join(plural(number, name.removesuffix("s")) for name, number in records.items())
    lines = [clean(each) for each in done]
    lines += [f"{clean(home)}: {counted or 'no records can be read'}; {plural(backups, 'backup')}"]
    lines += [
        f"  {clean(root)}: {plural(blobs, 'intact blob')}, {size(total)}" for root, blobs, total in stores
    ]
    lines += [f"{each.kind}  {clean(each.path)}: {clean(each.what)}" for each in findings]
    wrong = [each for each in findings if each.is_wrong]
    if not wrong:
        lines.append("Nothing is wrong.")
    elif not done and not all(each.is_lost for each in wrong):
        lines.append(f"{REPAIR}; nothing is deleted.")
    elif any(each.is_lost for each in wrong):
        lines.append(LOST)
    text = "\n".join(lines)
    return View(text, block(text))
