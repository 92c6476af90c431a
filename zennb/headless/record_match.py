"""Owns `RecordMatch`: comparing a step's record with the notebook file as it is now."""

from __future__ import annotations

import platform
from functools import cache
from typing import TYPE_CHECKING

from zennb.core.records.loaded_names import loaded_name
from zennb.core.records.observed import changed
from zennb.core.records.setting_names import FOLDER_PATH
from zennb.engine.environment.files import file_digest
from zennb.engine.step.cache_options import options_in_key
from zennb.engine.step.sealed_parts import secret_part
from zennb.errors import StepRefused
from zennb.headless.run_environment import Difference, unclear
from zennb.provenance.steps import depends_on
from zennb.provenance.value_source import SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zennb.core.records.records import CacheKeyParts, Step
    from zennb.engine.step.definition import StepDefinition
    from zennb.headless.run_environment import RunEnvironment
    from zennb.provenance.module_source import ModuleSources
    from zennb.provenance.notebook import Provenance
    from zennb.provenance.value_source import ValueSource

__all__ = ["RecordMatch"]

_ONLY_RUNNING = "only running it tells"


class RecordMatch:
    """Compares records with one step of a notebook file.

    Args:
        definition: the step.
        names: where the notebook's values come from before it.
        modules: local modules.
        environment: files and environment before it.
        records: all records of this code; they reveal values that differ although their provenance is equal.
    """

    def __init__(
        self,
        definition: StepDefinition,
        *,
        names: Provenance,
        modules: ModuleSources,
        environment: RunEnvironment,
        records: Sequence[Step] = (),
    ) -> None:
        self._definition, self._names, self._modules = definition, names, modules
        self._environment = environment
        self._unsteady = frozenset(_unsteady(records))

    def differences(self, record: Step) -> list[Difference]:
        """Return what differs or may differ; a record without differences would be reused."""
        if record.parts is None:
            return [Difference(reason="the run before could not be keyed")]
        found = list(self._of_parts(record.parts))
        found += self._of_names(record, record.parts)
        # Files are read only when nothing else rules the record out.
        if not any(each.is_certain for each in found):
            found += self._of_environment(record)
        return found

    # The parts of the cache key

    def _of_parts(self, parts: CacheKeyParts) -> Iterator[Difference]:
        definition = self._definition
        if parts.code != definition.code:
            yield Difference(reason="its code changed")
        secrets = {key: mark for key, mark in parts.reached.items() if key.startswith("secret ")}
        if secrets != secret_part(definition):
            yield Difference(reason="a secret in its code changed")
        yield from _of_packages(parts.packages)
        if parts.outputs != (definition.options.outputs or ()):
            yield Difference(reason="its declared outputs changed")
        now = {f"depends-on {path}": path for path in definition.options.depends_on}
        was = {option: digest for option, digest in parts.options.items() if option.startswith("depends-on ")}
        more = {option for option in parts.options if option not in was} ^ options_in_key(definition).keys()
        for option in sorted((now.keys() ^ was.keys()) | more):
            how = "is gone" if option in parts.options else "is new"
            yield Difference(reason=f"option `--{option}` {how}")
        for option in now.keys() & was.keys():
            yield from self._of_file(now[option], option, was[option])

    def _of_file(self, path: str, option: str, digest: str) -> Iterator[Difference]:
        found = self._environment.file(path, "", inside=self._names.folder)
        if isinstance(found, Difference):
            yield found
            return
        try:
            where = self._environment.folder / (self._names.folder or "") / path
            if file_digest(str(where), self._definition.name) != digest:
                yield Difference(reason=f"option `--{option}` changed")
        except StepRefused as refused:
            yield Difference(reason=refused.message)

    def _of_names(self, record: Step, parts: CacheKeyParts) -> Iterator[Difference]:
        now = depends_on(
            self._names,
            self._modules,
            self._definition.analysis,
            parts,
            inputs=self._definition.options.inputs,
            ignored=self._definition.options.ignore,
            text=self._definition.text,
        )
        then = record.provenance
        topics = _topics(record, now, parts)
        for key in {**dict.fromkeys(parts.inputs), **then, **now}:
            word, _, rest = key.partition(" ")
            if word == "read":
                if key in then:
                    yield from self._of_read(rest, then[key], record)
            elif word in {"wrote", "files", "folder"} or key.startswith("$"):
                continue  # compared with the environment
            elif word in {"setting", "module", "shares", "text"}:
                # Opaque texts may be equal by accident: they only say that reading gave up.
                certain = not then.get(key, "").startswith(("opaque", "pending"))
                if (then.get(key) != now.get(key) or not certain) and (word != "setting" or rest in topics):
                    yield from self._of_more(word, rest, then.get(key, ""), now.get(key, ""), record)
            elif (found := self._of_name(key, then.get(key), now.get(key), parts)) is not None:
                yield found

    def _of_more(self, word: str, rest: str, then: str, now: str, record: Step) -> Iterator[Difference]:
        if word == "setting":
            yield self._of_setting(rest, now)
        elif word == "module":
            yield self._of_module(rest, then, record)
        elif word == "text":
            what = f"`{rest}`" if rest != "of the cell" else "its cell"
            yield unclear(f"it reads docstrings or source, and the text of {what} changed; {_ONLY_RUNNING}")
        elif record.parts is None or rest not in record.parts.inputs:
            yield unclear(f"`{rest}` may share something with what it reads; {_ONLY_RUNNING}")

    def _of_name(
        self, name: str, then: str | None, now: str | None, parts: CacheKeyParts
    ) -> Difference | None:
        source = self._names.names.get(name)
        if name in parts.inputs:
            return self._of_input(name, source, then, now, parts.inputs[name])
        if source is not None and source.waits:
            return _waiting(name, source.waits)
        if then == now and (source is None or source.is_certain):
            return None
        kind = next(
            (k for k in ("function", "class", "module", "name") if f"{k} {name}" in parts.reached), ""
        )
        if source is None:
            return (
                Difference(reason=f"{kind} `{name}` is gone", is_certain=bool(kind) and now is None)
                if kind
                else unclear(f"`{name}` is gone; {_ONLY_RUNNING}")
            )
        was = "" if then is None else then.split(" ")[0]
        if kind and source.kind is SourceKind.DEFINITION and was == "definition":
            # Records hold the first 24 characters of the digest.
            own = then.split(" ")[1] if then else ""
            if own != source.own[:24]:
                return Difference(reason=f"{kind} `{name}` changed")
        if kind and source.kind is SourceKind.IMPORT and was == "import":
            return Difference(reason=f"{kind} `{name}` changed")
        return unclear(_reason(name, source, then))

    def _of_input(
        self, name: str, source: ValueSource | None, then: str | None, now: str | None, digest: str
    ) -> Difference | None:
        if name in self._definition.options.ignore:
            return Difference(reason=f"input `{name}` is gone")
        if source is None:
            if now is not None:
                return unclear(f"`{name}` may be bound by code that cannot be read; {_ONLY_RUNNING}")
            return Difference(reason=f"input `{name}` is gone")
        if source.waits:
            return _waiting(name, source.waits)
        # A value that is written out: its digest says for certain whether it changed, however it came about then.
        if source.kind is SourceKind.VALUE:
            return None if source.own == digest else Difference(reason=f"input `{name}` changed")
        if source.kind in {SourceKind.DEFINITION, SourceKind.IMPORT} and then != now:
            return unclear(_reason(name, source, then))
        if then == now and source.is_certain:
            if (name, now) not in self._unsteady:
                return None
            reason = f"`{name}` came out differently before, although nothing had changed; {_ONLY_RUNNING}"
            return unclear(reason)
        return unclear(_reason(name, source, then))

    def _of_module(self, path: str, then: str, record: Step) -> Difference:
        module, _, part = path.rpartition(".")
        reached = {} if record.parts is None else record.parts.reached
        found = self._modules.module(module)
        source = None if found is None else found.part(part)
        kind = next((each for each in ("function", "class", "constant") if f"{each} {path}" in reached), "")
        top = module.partition(".")[0]
        is_patched = top in self._names.topics or f"setting {top}" in record.provenance
        if source is not None and kind and not is_patched:
            if kind == "constant" and source.kind is SourceKind.VALUE:
                differs = source.own != reached[f"constant {path}"]
                return Difference(reason=f"constant `{path}` changed", is_certain=differs)
            both = source.kind is SourceKind.DEFINITION and then.startswith("definition ")
            if both and then.split(" ")[1] != source.own[:24]:
                return Difference(reason=f"{kind} `{path}` changed")
        subject = f"`{path}`" if part != "*" else f"module `{module}`"
        reason = f"{subject} changed in another way than its code shows; {_ONLY_RUNNING}"
        return unclear(reason)

    def _of_setting(self, topic: str, now: str) -> Difference:
        if now.startswith("pending "):
            return _waiting("settings", frozenset({now.removeprefix("pending ")}))
        subject = "process-wide settings" if topic == "*" else f"what is set of {topic}"
        return unclear(f"plain cells change {subject}; {_ONLY_RUNNING}")

    def _of_read(self, what: str, mark: str, record: Step) -> Iterator[Difference]:
        """Compare what a plain cell read with what it would find now."""
        kind, _, name = what.partition(" ")
        if kind == "environment":
            if self._variable(name, mark, record) != mark:
                yield unclear(
                    f"a plain cell reads environment variable {name}, which changed; {_ONLY_RUNNING}"
                )
        elif f"wrote {name}" not in record.provenance:
            found = self._environment.file(name, mark, inside=self._names.folder)
            if isinstance(found, Difference):
                yield found
            elif found != mark:
                yield unclear(f"a plain cell reads {name}, which changed; {_ONLY_RUNNING}")

    # What was observed while it ran

    def _of_environment(self, record: Step) -> Iterator[Difference]:
        observed, names = record.observed, self._names
        touches_files = bool(observed.files or observed.written or observed.restored) or any(
            key.startswith("read file ") for key in record.provenance
        )
        if touches_files and record.provenance.get("files", "") != names.files:
            yield unclear(f"a plain cell writes files; {_ONLY_RUNNING}")
        if touches_files and record.provenance.get("folder", "") != (names.folder or ""):
            yield unclear(f"a plain cell goes to another folder; {_ONLY_RUNNING}")
        open_ones: list[Difference] = []

        def known(found: str | Difference, mark: str) -> str:
            if isinstance(found, Difference):
                open_ones.append(found)
                return mark
            return found

        def file(path: str, mark: str) -> str:
            if f"wrote {path}" in record.provenance:  # a plain cell makes it, and does so as before
                return mark
            return known(self._environment.file(path, mark, inside=names.folder), mark)

        def environment(name: str) -> str:
            mark = observed.environment[name]
            return known(self._variable(name, mark, record), mark)

        def setting(name: str) -> str:
            mark = observed.settings[name]
            return known(self._setting(name, mark), mark)

        reason = changed(observed, file=file, environment=environment, setting=setting)
        if reason:
            yield Difference(reason=reason)
        yield from open_ones

    def _setting(self, name: str, mark: str) -> str | Difference:
        """Return the state of a setting when the step begins. What plain cells set is compared by topic."""
        if (loaded := loaded_name(name)) is not None:
            return self._environment.load(loaded)
        if name != FOLDER_PATH:
            return mark
        if self._names.folder is None:
            return unclear("the notebook changes its folder, and the step asks where that is")
        return self._environment.folder_at(self._names.folder)

    def _variable(self, name: str, mark: str, record: Step) -> str | Difference:
        """Return the seal of an environment variable as the step, or a plain cell before it, would find it."""
        then, now = record.provenance.get(f"${name}"), self._names.variables.get(name)
        if record.provenance.get("setting environment") != self._names.topics.get("environment"):
            return unclear(f"plain cells change environment variables; {_ONLY_RUNNING}")
        if now is None:
            return self._environment.variable(name)
        if not now.startswith("computed "):
            return now
        if now == then:
            return mark
        return unclear(f"a plain cell sets environment variable {name}; {_ONLY_RUNNING}")


def _waiting(name: str, waits: frozenset[str]) -> Difference:
    step = min(waits)
    return unclear(f"needs `{name}` from step '{step}'", waits)


def _reason(name: str, source: ValueSource, then: str | None) -> str:
    """Return why the value of a name is unknown without running the notebook."""
    cell = f"cell [{source.cell}]" if source.cell else "a plain cell"
    if source.kind is SourceKind.OPAQUE:
        why = source.text.removeprefix("opaque").strip()
        subject = f", which differs each time ({why})" if why else ""
        return f"`{name}` is computed by {cell}{subject}; {_ONLY_RUNNING}"
    same = then is not None and then.split(" ")[1:2] == [source.statement[:12]]
    how = " from something that changed" if same else ", which changed"
    return f"`{name}` is computed by {cell}{how}; {_ONLY_RUNNING}"


def _topics(record: Step, now: Mapping[str, str], parts: CacheKeyParts) -> frozenset[str]:
    """Return the libraries whose settings a step may depend on."""
    roots = {
        key.partition(" ")[2].partition(".")[0]
        for key in (*now, *record.provenance)
        if key.startswith("module ")
    }
    roots |= {path.partition(".")[0] for name, path in parts.reached.items() if name.startswith("module ")}
    texts = {text.partition(" ")[2].partition(".")[0] for text in now.values() if text.startswith("import ")}
    return frozenset({"*", *roots, *texts, *record.observed.settings, *parts.packages})


def _of_packages(packages: Mapping[str, str]) -> Iterator[Difference]:
    for name, version in packages.items():
        now = _version(name)
        if now is None:
            yield unclear(f"the version of {name} cannot be told; {_ONLY_RUNNING}")
        elif now != version:
            yield Difference(reason=f"{name} {version} → {now}")


@cache
def _version(name: str) -> str | None:
    """Return the version of a distribution that is installed now; None when only importing it would show."""
    from importlib import metadata  # both are slow to import, and a step that never ran needs neither

    from zennb.packages.versions import versions

    if name == "python":
        return platform.python_version().rpartition(".")[0]
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return versions([name]).get(name)


def _unsteady(records: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Yield names whose values differed although their provenance was equal."""
    known: dict[tuple[str, str], str] = {}
    for record in records:
        for name, digest in record.parts.inputs.items() if record.parts is not None else ():
            text = record.provenance.get(name)
            if text is not None and known.setdefault((name, text), digest) != digest:
                yield (name, text)
