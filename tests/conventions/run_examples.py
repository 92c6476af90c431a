"""Runs the code blocks of Markdown files: `python tests/conventions/run_examples.py docs/page.md ...`.

A block marked `python` is plain Python, one marked `ipython` is a notebook cell with magics, in an IPython
shell with zennb loaded. The blocks of a file share one namespace and run in order. A block that raises fails
the file, unless its mark says `raises`: that one must raise. Blocks with any other mark are not run.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<mark>[^\n`]*)\n(?P<code>.*?)^ *(?P=ticks)`* *$",
    re.MULTILINE | re.DOTALL,
)


class ExampleFailed(Exception):
    """An example did not do what it should; the text says which and what happened."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: its language, its code, whether it must raise, and the line of its first line of code."""

    language: str
    code: str
    raises: bool
    line: int


def blocks(text: str) -> Iterator[Block]:
    """Find the blocks of a Markdown text that are to be run, in order."""
    for found in FENCE.finditer(text):
        language, *words = found["mark"].split() or [""]
        if language in {"python", "ipython"}:
            if set(words) - {"raises"}:
                raise ExampleFailed(f"unknown mark: ```{found['mark']}")
            code = re.sub(rf"^{found['indent']}", "", found["code"], flags=re.MULTILINE)
            line = text.count("\n", 0, found.start("code")) + 1
            yield Block(language=language, code=code, raises="raises" in words, line=line)


class Namespace:
    """Where the blocks of one file run; the IPython shell is made for the first block that needs one."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self._shell: Any = None

    def run(self, block: Block) -> None:
        """Run one block; raises `ExampleFailed` when it does not do what it should."""
        where = f"{self.file}:{block.line}"
        try:
            self._python(block) if block.language == "python" else self._ipython(block)
        except Exception as error:
            if not block.raises:
                raise ExampleFailed(f"{where}: {type(error).__name__}: {error}\n\n{block.code}") from error
        else:
            if block.raises:
                raise ExampleFailed(f"{where}: this should raise, and did not\n\n{block.code}")

    def _python(self, block: Block) -> None:
        exec(compile("\n" * (block.line - 1) + block.code, self.file, "exec"), self.names)

    def _ipython(self, block: Block) -> None:
        result = self.shell().run_cell(block.code, store_history=True)
        result.raise_error()

    def shell(self) -> Any:
        """Return the IPython shell over these names, with zennb loaded."""
        if self._shell is None:
            from IPython.core.interactiveshell import InteractiveShell

            self._shell = InteractiveShell.instance(user_ns=self.names)
            self._shell.run_line_magic("load_ext", "zennb")
            self.names = self._shell.user_ns
        return self._shell


def run(file: Path) -> int:
    """Run the blocks of a file and return how many there were."""
    namespace, count = Namespace(str(file)), 0
    for block in blocks(file.read_text(encoding="utf-8")):
        namespace.run(block)
        count += 1
    return count


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            sys.stdout.write(f"\n{name}: {run(Path(name))} examples run\n")
        except ExampleFailed as failure:
            sys.exit(str(failure))
