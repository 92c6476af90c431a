"""Owns the command `model`: registering versions of artifacts under a name, aliases, and deploying them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.commands.data import artifact_data, plain
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, verb
from zennb.commands.verbs.deployment import deployment_outcome
from zennb.commands.verbs.labels import note_verb, tag_verb, tagged
from zennb.core.records.models import checked_alias
from zennb.errors import MissingArtifact, UsageError
from zennb.lifecycle.deployments import deploy_model, deployments
from zennb.lifecycle.registration import find_or_numbered, register_or_keep, set_alias_or_keep
from zennb.registry.registered_models import (
    artifact_of,
    delete_model,
    find_model,
    model_registry,
    versions,
)
from zennb.views import artifact as artifact_view
from zennb.views import model as model_view
from zennb.views.text import listing
from zennb.views.view import join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.models import ModelVersion

__all__ = ["PARTS"]

MODEL = Argument("MODEL", "a registered model: NAME, NAME@ALIAS or NAME@VERSION", required=True, kind="model")
ALIAS = Argument("ALIAS", "the alias, such as champion", required=True)
TAG = Argument("--tag", "a tag, as KEY=TEXT", type=dict, word="KEY=TEXT")


@verb(
    "list the registered models with their newest versions and aliases",
    tagged("versions"),
    examples=("model list", "model list --tag stage=test"),
)
def _list(context: Context, tag: str | None) -> Outcome:
    found = [each for each in versions(context.workspace) if each.has_tag(tag)]
    newest = {each.name: each for each in reversed(found)}
    types = {}
    for each in newest.values():
        artifact = context.workspace.metadata.artifact(each.artifact, each.artifact_version)
        if artifact is not None and artifact.digest == each.digest:
            types[each.artifact, each.artifact_version] = artifact.type
    return Outcome(view=model_view.models(found, types, is_filtered=bool(tag)), data=plain(found))


@verb(
    "show a model: all its versions, or the one that is named with its artifact",
    MODEL,
    examples=("model show classifier", "model show classifier@champion"),
)
def _show(context: Context, model: str) -> Outcome:
    workspace = context.workspace
    if "@" not in model:
        found = versions(workspace, model)
        return Outcome(view=model_view.model_versions(found), data=plain(found))
    version = find_model(workspace, model)
    try:
        artifact = artifact_of(workspace, version)
    except MissingArtifact:
        artifact = None
    serving = [each.name for each in deployments(workspace) if (each.model, each.version) == _key(version)]
    view = model_view.model_version(version, artifact, serving)
    if artifact is not None:
        view = join([view, artifact_view.artifact(artifact, producer=workspace.metadata.producer(artifact))])
    stored = None if artifact is None else artifact_data(artifact)
    return Outcome(view=view, data={**plain(version), "stored": stored, "deployments": serving})


def _key(version: ModelVersion) -> tuple[str, int]:
    return version.name, version.version


@verb(
    "register an artifact as the next version of a model; doing so again changes nothing",
    Argument("NAME", "the model", required=True, kind="model"),
    Argument("--from", "the artifact: the variable's name", word="ARTIFACT", required=True, kind="artifact"),
    Argument("--version", "this version of the artifact; by default the current one", type=int, word="N"),
    Argument("--alias", "a name for this version, such as champion; taken from the version that had it"),
    Argument("--note", "a note"),
    TAG,
    examples=(
        "model register classifier --from model",
        "model register classifier --from model --alias champion",
    ),
)
def _register(
    context: Context,
    name: str,
    *,
    from_: str,
    version: int | None,
    alias: str | None,
    note: str | None,
    tag: dict[str, str],
) -> Outcome:
    workspace = context.workspace
    notebook = context.session.notebook if context.session is not None else None
    artifact = api.find_artifact(workspace, from_, version=version, notebook=notebook or None)
    found, is_new = register_or_keep(workspace, name, artifact, alias=alias or "", note=note or "", tags=tag)
    if not found.version:
        return _done(found, f"model `{name}` waits to be registered: artifact {found.source}.")
    done = "registered" if is_new else "is registered already, just so"
    also = f", alias {alias}" if alias else ""
    sentence = f"`{found.label}` {done}: artifact {found.source}{also}."
    return _done(found, sentence)


@verb(
    "let an alias stand for a version of a model, and for no other one any more",
    MODEL,
    ALIAS,
    examples=("model alias classifier@2 champion",),
)
def _alias(context: Context, model: str, alias: str) -> Outcome:
    checked_alias(alias)
    found = find_or_numbered(context.workspace, model)
    if not set_alias_or_keep(context.workspace, found, alias):
        return _done(found, f"{found.label} waits to be called `{alias}`.")
    now = find_model(context.workspace, f"{found.name}@{found.version}")
    return _done(now, f"`{found.name}@{alias}` is {now.label} from now on: artifact {now.source}.")


@verb(
    "take an alias of a model away; the version stays",
    MODEL,
    Argument("ALIAS", "the alias, if it is not part of MODEL"),
    examples=("model unalias classifier champion", "model unalias classifier@champion"),
)
def _unalias(context: Context, model: str, alias: str | None) -> Outcome:
    name, _, typed = model.rpartition("@") if "@" in model else (model, "", "")
    wanted = alias or typed
    if not wanted or (alias and typed):
        raise UsageError(f"say which alias: `{context.command_line} {name} ALIAS`.")
    found = find_model(context.workspace, f"{name}@{checked_alias(wanted)}")
    model_registry(context.workspace).delete_alias(name, wanted)
    now = find_model(context.workspace, f"{found.name}@{found.version}")
    return _done(now, f"{found.label} is no longer called `{wanted}`.")


@verb(
    "delete a version of a model, or a model with all its versions; artifacts and deployments stay",
    MODEL,
    examples=("model delete classifier@1", "model delete classifier"),
)
def _delete(context: Context, model: str) -> Outcome:
    found = delete_model(context.workspace, model)
    labels = listing([each.label for each in found])
    what = "its artifact stays" if len(found) == 1 else "their artifacts stay"
    pinned = (
        ", pinned; `%artifacts unpin` takes the pin away" if model_registry(context.workspace).pins else ""
    )
    sentence = context.interface.adapt(f"{labels} deleted; {what}{pinned}.")
    return Outcome(view=message_view(sentence), data=plain(found), sentence=sentence)


@verb(
    "serve a model over HTTP in a process of its own, in place of what was served under that name before",
    MODEL,
    Argument("--name", "what to call the deployment; by default the name of the model"),
    Argument("--host", "the address to listen on; by default 127.0.0.1, which only this machine reaches"),
    Argument("--port", "the port; by default that of before, or a free one", type=int, default=0, word="N"),
    examples=("model deploy classifier@champion", "model deploy classifier@2 --name candidate --port 8080"),
)
def _deploy(context: Context, model: str, name: str | None, host: str | None, port: int) -> Outcome:
    workspace = context.workspace
    more: dict[str, Any] = {"name": name or "", "host": host or "", "port": port}
    found, is_new = deploy_model(
        workspace,
        model,
        scope=api.scope(),
        load=lambda artifact: api.load_artifact(workspace, artifact),
        **more,
    )
    done = "is deployed" if is_new else "is deployed already, just so"
    sentence = f"{found.label} {done}: `zennb.deployment({found.name!r}).predict(...)` asks it."
    return deployment_outcome(context, found, sentence)


def _describe(context: Context, found: ModelVersion, note: str, tags: Mapping[str, str]) -> None:
    model_registry(context.workspace).describe(found.name, found.version, note, tags)


_LABELS: Any = {
    "find": lambda context, model: find_model(context.workspace, model),
    "describe": _describe,
    "name": lambda found: found.label,
}
_tag = tag_verb(
    [MODEL],
    **_LABELS,
    examples=("model tag classifier@2 stage=test", "model tag classifier --remove stage --note checked"),
)
_note = note_verb([MODEL], **_LABELS, examples=('model note classifier@2 "checked on data of 2024"',))


def _done(found: ModelVersion, sentence: str) -> Outcome:
    return Outcome(view=message_view(sentence), data=plain(found), sentence=sentence)


PARTS = (
    Command(
        name="model",
        help="register artifacts as versions of models, give them aliases, and deploy them",
        default="list",
        examples=(
            "model register classifier --from model --alias champion",
            "model list",
            "model show classifier@champion",
            "model deploy classifier@champion",
        ),
        parts=(_list, _show, _register, _alias, _unalias, _tag, _note, _delete, _deploy),
    ),
)
