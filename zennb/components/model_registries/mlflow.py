"""Owns `MlflowModelRegistry`: models in the registry of an MLflow server, or of a database that MLflow keeps.

A version there names its artifact in tags and in its source; the bytes stay in the artifact store.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from traitlets import Float, Unicode

from zennb.components.component import Visibility
from zennb.components.models import ASKED, ModelRegistry
from zennb.components.quiet_logging import quiet_here
from zennb.core.records.models import ModelVersion
from zennb.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.records import Artifact

__all__ = ["MlflowModelRegistry"]

R = TypeVar("R")

_ARTIFACT, _VERSION, _DIGEST = "zennb.artifact", "zennb.version", "zennb.digest"
_OURS, _ALIAS_SET = "zennb.", "zennb.alias."
"""Tags of models: which version an alias was given to, and when; MLflow does not note that."""
_LONGEST_START = 60.0
"""Seconds in which MLflow has made its database, also on a slow machine."""
_QUIET = 15.0
"""Seconds in which a server that gave no answer is not asked again."""


class MlflowModelRegistry(ModelRegistry):
    """Versions that zennb has registered; those that others registered with MLflow itself have no artifact here."""

    flavor = "mlflow"
    description = "keeps models in the registry of an MLflow server, or of a database of MLflow"

    uri = Unicode(
        help="Where MLflow keeps its models: `sqlite:////home/ada/mlflow.db`, or the address of a server."
    ).tag(config=True, required=True)
    timeout = Float(
        20.0,
        min=1.0,
        help="Seconds to wait for the answer of a server; for a database as a file at least 60.",
    ).tag(config=True)

    _client: Any = None
    _silent_since: float | None = None

    @property
    def visibility(self) -> Visibility:  # type: ignore[override]  # it depends on the options
        """A server reaches other machines; a database as a file does not."""
        return Visibility.NETWORK if "://" in self.uri and not self._is_file else Visibility.MACHINE

    @property
    def _is_file(self) -> bool:
        return self.uri.startswith(("sqlite:", "file:"))

    def probe(self, *, seconds: float) -> None:
        """Ask for one model; a database that does not exist yet is made, which takes longer than asking a server."""
        self._silent_since = None  # somebody wants to know how it is now
        limit = None if self._is_file else seconds
        self._asked(lambda client: client.search_registered_models(max_results=1), seconds=limit)

    def close(self) -> None:
        """Drop the client; the next call makes another one."""
        self._client = self._silent_since = None

    def deliver(self, payload: Mapping[str, Any]) -> str:
        """Register what waited in the outbox; the server is asked even if it gave no answer a moment ago."""
        self._silent_since = None
        return super().deliver(payload)

    def register(
        self, name: str, artifact: Artifact, *, note: str = "", tags: Mapping[str, str] | None = None
    ) -> int:
        """Register an artifact as the next version of a model."""
        ours = {_ARTIFACT: artifact.name, _VERSION: str(artifact.version), _DIGEST: artifact.digest}

        def register(client: Any) -> Any:
            if not _exists(client, name):
                client.create_registered_model(name)
            return client.create_model_version(
                name,
                source=f"zennb://artifacts/{artifact.name}/{artifact.version}",
                tags={**(tags or {}), **ours},
                description=note or None,
            )

        return int(self._asked(register).version)

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or all: by name, newest first."""

        def found(client: Any) -> list[ModelVersion]:
            models = _models(client, name)
            return [
                made
                for model in models
                for each in _pages(client.search_model_versions, _filter(model.name))
                if (made := _version(each, dict(model.aliases))) is not None
            ]

        return sorted(self._asked(found), key=lambda each: (each.name, -each.version))

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias stand for a version."""
        self.set_alias_late(name, alias, version, asked=time.time())

    def set_alias_late(self, name: str, alias: str, version: int, *, asked: float) -> None:
        """Let an alias stand for a version, and note when that was asked for."""

        def move(client: Any) -> None:
            client.set_registered_model_alias(name, alias, str(version))
            client.set_registered_model_tag(name, _ALIAS_SET + alias, f"{version} {asked!r}")

        self._asked(move)

    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias away."""

        def take_away(client: Any) -> None:
            client.delete_registered_model_alias(name, alias)
            client.set_registered_model_tag(name, _ALIAS_SET + alias, f"0 {time.time()!r}")

        self._asked(take_away)

    def alias_changed(self, name: str, alias: str) -> float | None:
        """Return when zennb last set an alias or took it away; None if somebody else has changed it since."""

        def read(client: Any) -> float | None:
            (model,) = _models(client, name)
            version, _, when = dict(model.tags).get(_ALIAS_SET + alias, "").partition(" ")
            is_ours = version == str(dict(model.aliases).get(alias, 0))
            return float(when) if is_ours else None

        return self._asked(read)

    def delete(self, name: str, version: int) -> None:
        """Delete a version; the model stays in MLflow, which goes on counting its versions."""

        def delete(client: Any) -> None:
            aliases = dict(client.get_registered_model(name).aliases)
            for alias in [alias for alias, number in aliases.items() if int(number) == version]:
                client.delete_registered_model_alias(name, alias)
            client.delete_model_version(name, str(version))

        self._asked(delete)

    def describe(self, name: str, version: int, note: str, tags: Mapping[str, str]) -> None:
        """Set the note and all tags of a version."""

        def describe(client: Any) -> None:
            number = str(version)
            before = dict(client.get_model_version(name, number).tags)
            client.update_model_version(name, number, description=note)
            for key in before.keys() - tags.keys():
                if not key.startswith(_OURS):
                    client.delete_model_version_tag(name, number, key)
            for key, text in tags.items():
                if before.get(key) != text:
                    client.set_model_version_tag(name, number, key, text)

        self._asked(describe)

    def _asked(self, call: Callable[[Any], R], *, seconds: float | None = None) -> R:
        """Return what a call of MLflow's client returns.

        Raises:
            StoreBusy: there was no answer in time.
            StoreError: MLflow says why not.
        """
        __import__("mlflow")  # takes seconds, which are not those of the server
        # A step may ask several times: when it is planned, when it runs, when it is recorded.
        if self._silent_since is not None and time.monotonic() - self._silent_since < _QUIET:
            raise StoreBusy(f"MLflow at {self.uri} did not answer a moment ago; {self._advice}.")
        answer = _MlflowAnswer[R]()
        # On a thread: MLflow's client asks a server that does not answer again and again, for minutes.
        threading.Thread(target=self._ask, args=(call, answer), name="zennb-mlflow", daemon=True).start()
        limit = max(self.timeout, _LONGEST_START) if self._is_file else self.timeout
        limit = limit if seconds is None else seconds
        if not answer.is_there.wait(limit):
            self._silent_since = time.monotonic()
            raise StoreBusy(f"MLflow at {self.uri} did not answer within {limit:.0f} s; {self._advice}.")
        self._silent_since = None
        if answer.error is not None:
            raise StoreError(f"MLflow at {self.uri} refused: {_reason(answer.error)}") from answer.error
        return answer.value  # type: ignore[return-value]  # set where there is no error

    @property
    def _advice(self) -> str:
        return "try again" if self._is_file else "check that it runs, and that you can reach it"

    def _ask(self, call: Callable[[Any], R], answer: _MlflowAnswer[R]) -> None:
        try:
            with quiet_here("mlflow", "alembic", least=logging.WARNING):
                answer.value = call(self._connected())
        except Exception as error:  # noqa: BLE001 - whatever the client, its database or its network raise
            answer.error = error
        finally:
            answer.is_there.set()

    def _connected(self) -> Any:
        if self._client is None:
            from mlflow import MlflowClient

            self._client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        return self._client


@dataclass(slots=True)
class _MlflowAnswer(Generic[R]):
    """What a call on another thread came to."""

    value: R | None = None
    error: Exception | None = None
    is_there: threading.Event = field(default_factory=threading.Event)


def _exists(client: Any, name: str) -> bool:
    return bool(_models(client, name))


def _models(client: Any, name: str | None) -> list[Any]:
    """Return the registered models with their aliases, which versions do not tell."""
    return _pages(client.search_registered_models, None if name is None else _filter(name))


def _filter(name: str) -> str:
    quote = '"' if "'" in name else "'"
    return f"name = {quote}{name}{quote}"


def _pages(search: Callable[..., Any], wanted: str | None) -> list[Any]:
    found = search(wanted)
    every = list(found)
    while found.token:
        found = search(wanted, page_token=found.token)
        every += found
    return every


def _version(found: Any, aliases: Mapping[str, Any]) -> ModelVersion | None:
    tags = dict(found.tags)
    if not {_ARTIFACT, _VERSION, _DIGEST} <= tags.keys() or not tags[_VERSION].isdecimal():
        return None
    return ModelVersion(
        name=str(found.name),
        version=int(found.version),
        artifact=tags[_ARTIFACT],
        artifact_version=int(tags[_VERSION]),
        digest=tags[_DIGEST],
        aliases=tuple(
            sorted(alias for alias, number in aliases.items() if int(number) == int(found.version))
        ),
        created=(found.creation_timestamp or 0) / 1000,
        note=found.description or "",
        tags={key: text for key, text in tags.items() if key == ASKED or not key.startswith(_OURS)},
    )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".") + "."
