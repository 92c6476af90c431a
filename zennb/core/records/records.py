"""Owns the records of runs, steps, artifacts and stacks, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.metrics import Metric
    from zennb.core.records.observed import Carried
    from zennb.core.records.seal import Seal

__all__ = [
    "ELEMENT",
    "LOOP_VARIABLE",
    "NOT_STORED",
    "PLAIN",
    "Artifact",
    "Attempt",
    "CacheKeyParts",
    "ComponentSpec",
    "Failure",
    "Run",
    "StackSpec",
    "Status",
    "Step",
]


ELEMENT = "element of "
"""Begins the option in the cache key of a step that got one element of what another step is mapped over."""

LOOP_VARIABLE = "loop variable"
"""The kind of an output that only the loops of a step bind: it comes back on reuse, and is in no list of artifacts."""

NOT_STORED = "not_stored"
"""The materializer of an output that cannot be stored: its bytes only say what it is."""

PLAIN = "plain"
"""The materializer of data that holds no code and is read without running any."""


class Status(StrEnum):
    """State of a step or run, in ZenML's words (plus `interrupted`)."""

    RUNNING = "running"
    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"

    @property
    def symbol(self) -> str:
        """One character per state, readable without colour."""
        return {
            "running": "◌",
            "completed": "✔",
            "cached": "●",
            "failed": "✘",
            "skipped": "○",
            "interrupted": "■",
        }[self.value]

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self is not Status.RUNNING

    @property
    def is_good(self) -> bool:
        """Whether the outputs can be used."""
        return self in {Status.COMPLETED, Status.CACHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSpec:
    """The specification of a component: its type, name, flavor and the options that differ from the defaults.

    `config` maps option names to their text form, as typed (`{"workers": "4"}`); secrets are references.
    """

    type: str
    name: str
    flavor: str
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """A stack specification: its name and one component per type (`{"orchestrator": ..., "artifact_store": ...}`)."""

    name: str
    components: Mapping[str, ComponentSpec]

    @property
    def orchestrator(self) -> ComponentSpec:
        """The component that runs the steps."""
        return self.components["orchestrator"]

    @property
    def artifact_store(self) -> ComponentSpec:
        """The component that keeps the outputs."""
        return self.components["artifact_store"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A named, versioned, immutable value in an artifact store.

    Attributes:
        id: row in the metadata store; None before it is recorded.
        name: the notebook variable it was bound to.
        version: counts from 1 per name; 0 before it is recorded.
        digest: canonical digest of the value (`digests.digest`); cache keys and comparisons use it.
        blob: sha-256 of the stored bytes, hexadecimal; their name in the artifact store.
        item: which member of the stored group it is, when several names share one blob; else None.
        materializer: name of the materializer that wrote the bytes.
        size: bytes stored.
        type: the value's type as text, e.g. `pandas.DataFrame`.
        summary: what can be shown without loading it (see `materializers.materializer`); JSON values only.
        needs: notebook classes and functions, by qualified name, that loading it refers to.
        packages: top-level import names of the types met inside the value, e.g. `("numpy", "sklearn")`.
        kind: `output` of a step, `loop variable` of one, `captured` from the notebook, or `parameter` (a captured
            small scalar).
        step: id of the step record that made or captured it; None before it is recorded.
        created: seconds since the epoch.
        parts: names of further blobs that hold its large memory, which it may share with other artifacts.
        tags: what the user tagged this version with: key → text; note: what the user noted (filled in by listings).
    """

    id: int | None = None
    name: str
    version: int = 0
    digest: str
    blob: str
    item: str | None = None
    materializer: str
    size: int
    type: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    kind: str = "output"
    step: int | None = None
    created: float = 0.0
    parts: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    note: str = field(default="", compare=False)

    @property
    def blobs(self) -> tuple[str, ...]:
        """All the blobs that it takes to load it."""
        return (self.blob, *self.parts)

    @property
    def is_output(self) -> bool:
        """Whether a step made it; else it was taken from the notebook for a step."""
        return self.kind in {"output", LOOP_VARIABLE}

    @property
    def is_stored(self) -> bool:
        """Whether its value can be loaded; else only running its step again makes it."""
        return self.materializer != NOT_STORED

    @property
    def part_of(self) -> str:
        """The input of its step that it is a part of, as which it is stored; "" for an artifact by itself."""
        part = self.summary.get("part")
        return str(part.get("of", "")) if isinstance(part, dict) else ""

    @property
    def whole(self) -> Artifact:
        """What it is a part of, as its step read it."""
        part = self.summary["part"]
        summary = {"kind": "object", "text": "", "attributes": []}
        return replace(
            self.unrecorded(),
            name=part["of"],
            item=part["item"],
            digest=part["digest"],
            type=part["type"],
            summary=summary,
        )

    @property
    def label(self) -> str:
        """`model v3`."""
        return f"{self.name} v{self.version}"

    def unrecorded(self) -> Artifact:
        """Return the same artifact as one that is not on record yet."""
        return replace(self, id=None, version=0, step=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKeyParts:
    """The parts of a step's cache key. Two steps with equal parts produce equal outputs.

    Attributes:
        code: digest of the step's own normalised code.
        outputs: names declared with `-o`, in order; empty when worked out from the code.
        inputs: input name → canonical digest of its value.
        reached: dependencies of the code, by kind and qualified name (`function clean`, `class Model`,
            `constant mylib.RATE`, `module np`) → digest of its own code or value.
        packages: distribution → version, for modules used and types met; `python` is among them.
        options: options of the step that change what it computes.
    """

    code: str
    outputs: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    reached: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a failed step raised: type name, message, and the traceback as plain text without frames of ours."""

    type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a step that failed and was tried again.

    Attributes:
        started: seconds since the epoch.
        seconds: how long it took.
        failure: what it raised.
    """

    started: float
    seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One execution (or reuse, or skip) of one step.

    Attributes:
        id: row in the metadata store; None before it is recorded.
        run: id of the run it belongs to.
        name: the step's name.
        notebook: the notebook it was written in, as far as known; "" otherwise.
        cell: the frontend's id of its cell; "" when unknown.
        status: how it ended.
        reason: the reason for the cache decision, for people: `first run`, `input X changed`, ...
        source: the cell's text as run.
        cache_key: sha-256 of `parts`; "" for a step that could not be keyed.
        parts: what the key is made of; None when it could not be worked out.
        started: seconds since the epoch.
        seconds: duration of the work (of the restoring, when cached).
        inputs: name → artifact.
        outputs: name → artifact; for a cached step those of the step it reuses.
        defines: names of imports, functions and classes it binds; reuse runs their definitions again.
        deletes: names it deleted.
        displays: blob (sha-256) of its displayed output, in the artifact store; "" when there is none.
        metrics: name → what it logged (`zennb.log`); for a cached step what the step it reuses logged.
        reusable: whether a later step with the same key may reuse it.
        unusable_because: why it is not reusable, for people.
        reused: id of the step record whose results were reused, when cached.
        failure: what it raised, when failed.
        observed: dependencies and side effects outside its inputs and outputs, observed while it ran.
        carried: process-wide settings it changed, which reuse applies again; None when it changed none.
        attempts: the tries that failed before the last one, in order (`--retries`).
        saved: seconds that reuse spared; 0.0 for a step that ran.
        expires: when its results stop being reused, in seconds since the epoch; None for never.
        ran_on: the step operator or orchestrator that ran it in place of the stack's own, `big (dask)`; "" for none,
            and for a step that did not run.
        provenance: name it depends on → where that value came from (`provenance`). With it, a notebook file can be
            judged without running its plain cells.
        seal: the signature of its record; None before it is recorded.
        unrecorded: why it is not on record, of a step that has just ended; "" when it is. It is never stored.
        original: the step it reuses, of a step that has just ended. It is never stored.
    """

    id: int | None = None
    run: int | None = None
    name: str
    notebook: str = ""
    cell: str = ""
    status: Status
    reason: str = ""
    source: str = ""
    cache_key: str = ""
    parts: CacheKeyParts | None = None
    started: float = 0.0
    seconds: float = 0.0
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    displays: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    reusable: bool = True
    unusable_because: str = ""
    reused: int | None = None
    failure: Failure | None = None
    observed: Observed = field(default_factory=Observed)
    carried: Carried | None = None
    attempts: tuple[Attempt, ...] = ()
    saved: float = 0.0
    expires: float | None = None
    ran_on: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    seal: Seal | None = field(default=None, compare=False, repr=False)
    unrecorded: str = ""
    original: Step | None = field(default=None, compare=False, repr=False)

    @property
    def unstored(self) -> tuple[str, ...]:
        """The names that it bound and its cell keeps out of the store (`--no-store`)."""
        found = {} if self.parts is None else self.parts.options
        return tuple(key.partition(" ")[2] for key in found if key.startswith("no-store "))

    @property
    def is_element(self) -> bool:
        """Whether it ran for one element of a mapped step (`--map`), of which it is a part."""
        return self.parts is not None and any(key.startswith(ELEMENT) for key in self.parts.options)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The inputs that do not count in its key (`--ignore`)."""
        return () if self.parts is None else tuple(n for n in self.inputs if n not in self.parts.inputs)

    @property
    def brings_about(self) -> frozenset[str]:
        """The files that it writes and the settings that it changes, whether run or reused."""
        carried = self.carried.names if self.carried is not None else ()
        return frozenset({*self.observed.written, *self.observed.restored, *carried})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of one or more steps on one stack.

    Attributes:
        id: row in the metadata store; None before it is recorded.
        kind: `session` for the cells that one kernel ran by hand, `pipeline` for `%pipeline run`, `notebook` for
            `zennb run`; databases of the first format also hold `step`, a single cell.
        notebook: the notebook, as far as known; "" otherwise.
        stack: snapshot of the stack it ran on.
        status: how it ended, or `running`.
        started: seconds since the epoch.
        seconds: duration; 0.0 while running.
        parameters: the small values of the notebook that its steps read, and `-p NAME=VALUE` overrides, as text.
        versions: python, zennb, platform, and distribution versions of the packages its steps used.
        host: name of the machine; process: its process id there (a dead one means `interrupted`).
        steps: number of its steps per status, e.g. `{"completed": 3, "cached": 2}` (filled in by listings).
        names: name of each of its steps, in order → state of its latest record that was no reuse, `cached` when all
            were (filled in by listings).
        parent: id of the run that started it, such as the notebook run in which a pipeline ran; None for none.
        commit: git commit of the notebook's folder; "" when it is under no version control.
        dirty: whether that working tree had changes; None when unknown.
        computed: seconds of work in its steps that ran, and in those of the runs it started; the metadata store counts.
        saved: seconds that reuse spared there.
        tags: what the user tagged it with: key → text; note: what the user noted (filled in by listings).
    """

    id: int | None = None
    kind: str = "step"
    notebook: str = ""
    stack: StackSpec
    status: Status = Status.RUNNING
    started: float = 0.0
    seconds: float = 0.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    process: int = 0
    steps: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    parent: int | None = None
    commit: str = ""
    dirty: bool | None = None
    computed: float = 0.0
    saved: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
