"""Owns the verbs `tag` and `note` of runs, artifacts and models, which are the same for all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from zennb.commands.data import plain
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.core.records.labels import changed_tags, checked_note, tag_words
from zennb.views.text import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Subject", "note_verb", "tag_verb", "tagged"]

TAG = Argument("TAG", "tags to set: KEY, or KEY=TEXT", type=list)
REMOVE = Argument("--remove", "tags to take away", type=tuple, word="KEY")
NOTE = Argument("--note", "the new note", word="TEXT")
TEXT = Argument("TEXT", 'the new note; "" takes it away; left out, the note is shown')


def tagged(what: str) -> Argument:
    """Return the option of lists that shows only what has a tag."""
    return Argument("--tag", f"only {what} with this tag: KEY, or KEY=TEXT", word="KEY", kind="tag")


class Subject(Protocol):
    """What has tags and a note."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Key → text."""

    @property
    def note(self) -> str:
        """Its note."""


def tag_verb(
    arguments: Sequence[Argument],
    *,
    find: Callable[..., Subject],
    describe: Callable[[Context, Any, str, Mapping[str, str]], None],
    name: Callable[[Any], str],
    examples: tuple[str, ...],
) -> Verb:
    """Return the verb `tag`.

    Args:
        arguments: those that name the subject; TAG comes after the first.
        find: returns the subject, given the context and these arguments.
        describe: sets the note and all tags of the subject.
        name: returns what messages call it.
        examples: lines as typed.
    """

    def run(
        context: Context, *, tag: list[str], remove: tuple[str, ...], note: str | None, **which: Any
    ) -> Outcome:
        found = find(context, **which)
        tags = changed_tags(found.tags, tag, remove, label=name(found))
        text = found.note if note is None else checked_note(note)
        if tag or remove or note is not None:
            describe(context, found, text, tags)
        now = find(context, **which)
        named = "tag" if len(now.tags) == 1 else "tags"
        shown = f"the {named} {listing(tag_words(now.tags))}" if now.tags else "no tags"
        return _outcome(now, f"{name(now)} has {shown}.")

    first, *others = arguments
    help_ = "set tags, or take them away; without any, show them"
    return Verb(
        name="tag", help=help_, run=run, arguments=(first, TAG, *others, REMOVE, NOTE), examples=examples
    )


def note_verb(
    arguments: Sequence[Argument],
    *,
    find: Callable[..., Subject],
    describe: Callable[[Context, Any, str, Mapping[str, str]], None],
    name: Callable[[Any], str],
    examples: tuple[str, ...],
) -> Verb:
    """Return the verb `note`; the arguments are those of `tag_verb`."""

    def run(context: Context, *, text: str | None, **which: Any) -> Outcome:
        found = find(context, **which)
        if text is not None:
            describe(context, found, checked_note(text), found.tags)
            found = find(context, **which)
        said = f"the note: {found.note}" if found.note else "no note"
        return _outcome(found, f"{name(found)} has {said}")

    first, *others = arguments
    help_ = "set the note, which `show` and lists show"
    return Verb(name="note", help=help_, run=run, arguments=(first, TEXT, *others), examples=examples)


def _outcome(found: Subject, sentence: str) -> Outcome:
    return Outcome(view=message_view(sentence), data=plain(found), sentence=sentence)
