"""Owns the reference page of all commands, `docs/commands.md`, made from the tree.

`python -m zennb.commands.reference > docs/commands.md` writes it; a test says when that is due.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS, build
from zennb.commands.help import argument_rows, example
from zennb.commands.interface import Face
from zennb.commands.step_options import STEP
from zennb.commands.syntax import paths
from zennb.core.records.component_types import REQUIRED_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.syntax import Command, Verb

__all__ = ["reference"]

INTRODUCTION = """\
# Commands

One tree serves the notebook and the terminal: `%stack list` in a cell is `zennb stack list` in a shell (also
`jupyter zennb stack list`). What has no magic of its own follows `%zennb`: `%zennb version`. A name with spaces
stands in quotes; `{variable}` and `$variable` are filled in as in every IPython magic. `--json` answers with one
JSON object, also when something goes wrong ([json.md](json.md)).

Help is at hand in both: `%stack?`, `%stack register --help`, `zennb stack register --help`.

This page is made from the tree (`python -m zennb.commands.reference`). Every other component type that has a flavor
installed has a command like that of `orchestrator`.
"""


def reference() -> str:
    """Return the reference page as Markdown."""
    root = build(frozenset(REQUIRED_TYPES))
    nouns = [_noun(part.name, part) for part in root.parts]
    return "\n".join([INTRODUCTION, _step(), *nouns])


def _noun(name: str, part: Command | Verb) -> str:
    found = {
        (path, verb): [face for face in Face if face in part.faces and face in verb.faces]
        for face in Face
        for path, verb in paths(part, face)
    }
    title = f"## `{name}`\n\n{_sentence(part.help)}\n"
    alone = [(path, verb, faces) for (path, verb), faces in found.items()]
    if len(alone) == 1 and alone[0][0] == (name,):
        path, verb, faces = alone[0]
        return "\n".join([title, _body(path, verb, faces)])
    return "\n".join([title, *(_verb(path, verb, faces) for path, verb, faces in alone)])


def _verb(path: Sequence[str], verb: Verb, faces: Sequence[Face]) -> str:
    return f"### `{' '.join(path)}`\n\n{_sentence(verb.help)}\n\n{_body(path, verb, faces)}"


def _body(path: Sequence[str], verb: Verb, faces: Sequence[Face]) -> str:
    usages = [f"{face.spell(path, magics=MAGICS)} {verb.usage(face)}".rstrip() for face in faces]
    parts = [_block(usages), _arguments(verb, faces)]
    lines = dict.fromkeys(example(line, faces[0]) for line in verb.examples)
    if lines:
        parts.append(f"{'Example' if len(lines) == 1 else 'Examples'}:\n\n{_block(list(lines))}")
    return "\n".join(part for part in parts if part)


def _step() -> str:
    usage = f"%%step {STEP.usage(Face.MAGIC)}"
    examples = [f"%{line}" for line in STEP.examples]
    body = [_block([usage]), _arguments(STEP, [Face.MAGIC]), f"Examples:\n\n{_block(examples)}"]
    return f"## `%%step`\n\n{_sentence(STEP.help)}\n\n" + "\n".join(body)


def _arguments(verb: Verb, faces: Sequence[Face]) -> str:
    rows = dict.fromkeys(row for face in faces for row in argument_rows(verb, face))
    return "".join(f"- `{typed}`: {told}\n" for typed, told in rows)


def _block(lines: Sequence[str]) -> str:
    inner = "\n".join(lines)
    return f"```\n{inner}\n```\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.stdout.write(reference())
