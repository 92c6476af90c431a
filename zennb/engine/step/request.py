"""Owns `StepRequest`, one step to execute as plain data that can cross processes, and the channels beside it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from zennb.compat.instances import is_a
from zennb.dependencies.callables import is_users_code
from zennb.digests.hooks import hooked
from zennb.digests.reachability import code_in
from zennb.engine.remote.namespace_pickling import pack
from zennb.engine.step.static_usage import StaticUsage
from zennb.engine.step.visible_texts import texts_in_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Artifact
    from zennb.engine.environment.execution_environment import ExecutionEnvironment
    from zennb.engine.remote.process_snapshot import ProcessSnapshot
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.step.cancellation import CancellationToken
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.frontend import Frontend
    from zennb.engine.step.output_checks import StepChecks
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.errors import CannotDigest

__all__ = ["Channels", "Link", "Resources", "StepRequest", "request_for", "texts_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """One step to execute, anywhere.

    It can be pickled: an artifact store pickles as its configuration, and what cannot be pickled is passed beside it
    (`Channels.values` and `definitions`), which works in this process only.

    Attributes:
        definition: the step's code and options.
        inputs: input name → artifact, loaded from the store where the step runs.
        code: the notebook's functions, classes and modules it uses (`namespace_pickling.pack`); empty when none.
        cells: file names, as in tracebacks, of the cells that these were written in.
        reached: what its code reaches, as `function clean` → digest; a worker must find the same.
        packages: import names of the packages it uses.
        versions: versions of their distributions in the cache key; a worker must have the same.
        names: names of all functions, classes and modules that its code reads.
        modules: dotted names of what is used of modules.
        writes: names that functions it calls bind through `global`.
        deletes: names of the notebook that it may delete without reading them.
        uses: what it uses of the process: settings, seeds, files its shell lines name.
        texts: the texts in its code and in the code it reaches; some may be names of files. None where it
            uses no library, and so opens no file out of sight.
        evaluates: which code calls `eval`, in short phrases.
        words: the words of the texts that such code sees: what it may name.
        unclear: why its cache key cannot be trusted to cover all that matters; empty as a rule.
        holders: as in `ResolvedStep`, for a run in the kernel.
        alone: as in `ResolvedStep`, for a run in the kernel.
        store: the artifact store its inputs come from and its outputs go to; None where `Channels.resources` has it.
        values: pickled mapping of input name → value, of inputs that are not in the store.
        hooked: types of its inputs whose digest a function of the notebook computes (`zennb.digest`).
        calls: what the notebook called for its effect on libraries that it uses, as name and code that makes the same
            call in a worker; "" where there is no such code.
        secrets: secret texts in its code and inputs, which are masked in its output.
        process: state of the notebook's process that a worker must set up; None in this process.
        postpones: whether outputs that cannot be stored may be postponed: the notebook can run the step again.
        checks: what its outputs are checked with; None for a step without `--check`.
        unstored: blob → content, and why, in brief, of inputs that the artifact store has not taken.
        size_limit: bytes that are sent to its worker, or come back, without the artifact store; None for any number.
    """

    definition: StepDefinition
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    code: bytes = b""
    cells: frozenset[str] = frozenset()
    reached: Mapping[str, str] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    uses: StaticUsage = field(default_factory=StaticUsage)
    texts: frozenset[str] | None = None
    evaluates: tuple[str, ...] = ()
    words: frozenset[str] = field(default=frozenset(), repr=False)
    unclear: tuple[str, ...] = ()
    holders: Mapping[str, CannotDigest] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    store: ArtifactStore | None = None
    values: bytes = b""
    hooked: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    process: ProcessSnapshot | None = None
    postpones: bool = False
    checks: StepChecks | None = None
    unstored: Mapping[str, tuple[bytes, str]] = field(default_factory=dict, repr=False)
    size_limit: int | None = None

    def whole_inputs(self) -> list[str]:
        """Return the inputs that are stored, and not as a part of another one, and whose content is in the key."""
        if self.definition.element_of:
            return []
        ignored = self.definition.options.ignore
        return [
            name
            for name, each in self.inputs.items()
            if each.is_stored and not each.part_of and name not in ignored
        ]

    @property
    def module_uses(self) -> frozenset[str]:
        """What it uses of modules, also of those that it imports itself."""
        return self.modules | {".".join(path) for path in self.definition.analysis.modules}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What executing a step needs from the process it runs in.

    Attributes:
        artifacts: saves and loads values in the artifact store of the stack.
        environment: records and restores files, environment variables and settings.
        frontend: formats displayed values.
    """

    artifacts: ArtifactRepository
    environment: ExecutionEnvironment
    frontend: Frontend


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Connects a running step with its caller; every part is optional.

    Attributes:
        output: called with each output event while it runs.
        cancel: stops it.
        metrics: called with name, position and value of what it logs; None in the process of the driver.
        restarted: called when its worker has died, and it begins again on another one; None where nobody asks.
        resources: open resources of this process; None to open them where the step runs.
        values: input name → value, for inputs that are not in the store, such as overridden parameters.
        definitions: the same for functions, classes and modules that cannot be packed.
    """

    output: Callable[[Event], None] | None = None
    cancel: CancellationToken | None = None
    metrics: Callable[[str, int, float], None] | None = None
    restarted: Callable[[], None] | None = None
    resources: Resources | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    definitions: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[Channels]:
        """Yield the channels themselves: in this process there is nothing to open."""
        yield self


class Link(Protocol):
    """Opens the channels of a step: the channels themselves, or an address to connect to."""

    def open(self) -> AbstractContextManager[Channels]:
        """Return a context with the channels."""


def texts_for(resolved: ResolvedStep) -> frozenset[str] | None:
    """Return the texts that a step can see; None for one that uses no library, and so opens no file out of sight."""
    found = resolved.dependencies
    is_plain = not (found.definitions or resolved.packages or resolved.definition.analysis.modules)
    return None if is_plain else texts_in_code(resolved.definition, found)


def _must_stay(names: Mapping[str, Any], values: Mapping[str, Any], resolved: ResolvedStep) -> bool:
    """Whether a step has to use the notebook's own definitions, as others know these and not copies of them."""
    # An instance that is handed over as it is would be none of a copied class.
    handed_over = {id(each) for each in code_in(values.values())}
    # A copy is not registered with a library (`Number.register(P)`, `copyreg.pickle(P, reduce)`).
    classes = {name for name, value in names.items() if is_users_code(value) and is_a(value, type)}
    is_known = any(call.may_know(name) for call in resolved.calls for name in classes)
    # Nor is it a base of classes that the code does not name.
    asks = any(name.endswith(".__subclasses__") for name in resolved.dependencies.constants)
    return is_known or asks or any(id(each) in handed_over for each in names.values())


def request_for(
    resolved: ResolvedStep, inputs: Mapping[str, Artifact], namespace: Mapping[str, Any]
) -> tuple[StepRequest, Channels]:
    """Return a resolved step as a request, and channels with what must be passed beside it.

    Args:
        resolved: the step.
        inputs: input name → artifact in the store.
        namespace: the notebook's variables.
    """
    found = resolved.dependencies
    # Loading an input may need a class that the code of the step never names.
    needed = {need.split(".")[0] for artifact in inputs.values() for need in artifact.needs}
    names = {name: namespace[name] for name in needed if name in namespace} | dict(found.definitions)
    values = {name: value for name, value in resolved.values.items() if name not in inputs}
    code, cells, unpacked = b"", frozenset[str](), names
    if names and not _must_stay(names, values, resolved):
        try:
            (code, cells), unpacked = pack(names, namespace=namespace, data=found.data), {}
        except Exception:  # noqa: BLE001 - what cannot be copied is used as it is
            code = b""
    request = StepRequest(
        definition=resolved.definition,
        inputs=inputs,
        code=code,
        cells=cells,
        reached=found.digests,
        packages=resolved.packages,
        versions=resolved.parts.packages,
        names=tuple(found.definitions),
        modules=found.uses,
        writes=found.writes,
        deletes=resolved.deletes,
        uses=resolved.uses,
        texts=texts_for(resolved),
        evaluates=found.evaluates,
        words=found.words,
        unclear=resolved.unclear,
        secrets=resolved.secrets,
        calls=tuple((call.name, call.source) for call in resolved.calls),
        hooked=hooked(code for seen in resolved.digests.values() for code in seen.code),
    )
    return request, Channels(values=values, definitions=unpacked)
