"""A secret planted by every road into zennb is in nothing that zennb shows, writes or keeps."""

from __future__ import annotations

import getpass
import sys
from itertools import cycle
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from traitlets import HasTraits

from tests.jupyter.planted import found_in_files, found_in_outputs, found_in_tables, found_in_widgets
from tests.keyrings import install_keyring, without_keyring
from zennb import plugins
from zennb.components import secret_store
from zennb.components.alerter import Alerter
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.components.component import Orchestrator, SecretRef, Visibility
from zennb.components.data_validator import CheckResult, DataValidator
from zennb.components.experiment_tracker import ExperimentTracker
from zennb.components.models import ModelDeployer, ModelRegistry
from zennb.engine.delivery import tracking
from zennb.errors import DeploymentFailed, StoreError
from zennb.plugins import FlavorInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

VALUE = "c4nary-7f3a9b21<&>'x"
TOKEN = "ghp_c4nary7f3a9b21c4nary7f3a"


class _Leaky(HasTraits):
    """Says its secret whenever something is asked of it, as libraries do in their errors."""

    flavor = "leaky"
    description = "says its secret"
    visibility: ClassVar[Any] = Visibility.NETWORK

    address = SecretRef(help="Its secret.").tag(config=True)

    @property
    def secret(self) -> str:
        found: Any = self.address
        return str(found.reveal())

    def leak(self, *_arguments: Any, **_more: Any) -> Any:
        said = f"401 for https://me:{self.secret}@example.org (token {self.secret!r})"
        raise self.error(said) from ConnectionError(said)

    error: type[Exception] = RuntimeError

    def probe(self, *, seconds: float) -> None:
        raise StoreError(f"no answer from {self.secret} in {seconds} s.")


class LeakyAlerter(_Leaky, Alerter):
    send = _Leaky.leak


class LeakyTracker(_Leaky, ExperimentTracker):
    log_step = _Leaky.leak


class LeakyValidator(_Leaky, DataValidator):
    def check_for(self, schema: object) -> Any:
        if schema == "refuse":
            self.leak()
        return lambda _value, _earlier: (
            self.leak() if schema == "break" else CheckResult(failures=(self._said(),))
        )

    def _said(self) -> str:
        return f"asked with {self.secret}"


class LeakyOrchestrator(_Leaky, Orchestrator):
    visibility: ClassVar[Any] = Visibility.PROCESS
    submit = _Leaky.leak


class LeakyStore(_Leaky, LocalArtifactStore):
    error = StoreError
    put = put_all = get = _Leaky.leak


class LeakyRegistry(_Leaky, ModelRegistry):
    register = versions = set_alias = delete_alias = delete = describe = _Leaky.leak


class LeakyDeployer(_Leaky, ModelDeployer):
    error = DeploymentFailed
    deploy = deployments = start = stop = delete = logs = predict = _Leaky.leak


LEAKY = (
    LeakyAlerter,
    LeakyTracker,
    LeakyValidator,
    LeakyOrchestrator,
    LeakyStore,
    LeakyRegistry,
    LeakyDeployer,
)


@pytest.fixture(autouse=True)
def leaky_flavors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    load, known = plugins.load, {each.type: each for each in LEAKY}
    infos = [FlavorInfo(type=each.type, name="leaky", target="", description="leaks") for each in LEAKY]
    monkeypatch.setattr(plugins, "_OURS", (*plugins._OURS, *infos))
    monkeypatch.setattr(
        plugins, "load", lambda type, flavor: known[type] if flavor == "leaky" else load(type, flavor)
    )
    monkeypatch.setattr(secret_store, "_of_process", {})
    monkeypatch.setattr(getpass, "getpass", lambda _prompt="": VALUE)
    monkeypatch.setenv("TEAM_ADDRESS", VALUE)
    without_keyring(monkeypatch)
    yield
    tracking.settle()


LISTINGS = (
    "%runs",
    "%runs show 1",
    "%runs logs 1",
    "%runs show 1 --json",
    "%artifacts",
    "%pipeline",
    "%pipeline status",
    "%zennb sync",
    "%zennb sync --json",
    "%stack describe",
    "%stack describe --json",
    "%secret list",
    "%zennb doctor",
    "%model",
    "%deployment",
    "import zennb\nboard = zennb.Dashboard()\nboard",
    *(
        f"for _button in board.pages.buttons.values(): _button.click()  # {again}"
        for again in ("every page", "with what is known by now")
    ),
    "zennb.StackPicker()",
)

STEP = "%%step train\nmodel = 1"
REGISTER = {
    "alerter": [
        "%alerter register bad --flavor=leaky --address={ref}",
        "%%step train --notify bad\nmodel = 1",
    ],
    "experiment_tracker": [
        "%experiment-tracker register bad --flavor=leaky --address={ref}",
        "%stack register other -o default -a default --experiment-tracker=bad --set",
        STEP,
        "from zennb.engine.delivery.tracking import settle\nassert settle()",
    ],
    **{
        f"data_validator that {what}": [
            "%data-validator register bad --flavor=leaky --address={ref}",
            "%stack register other -o default -a default --data-validator=bad --set",
            f"schema = {schema!r}\n",
            "%%step train --check model=schema\nmodel = 1",
        ]
        for what, schema in {"refuses": "refuse", "breaks": "break", "finds": "find"}.items()
    },
    "orchestrator": [
        "%orchestrator register bad --flavor=leaky --address={ref}",
        "%stack register other -o bad -a default --set",
        STEP,
    ],
    "step_operator": [
        "%orchestrator register bad --flavor=leaky --address={ref}",
        "%%step train --on bad\nmodel = 1",
    ],
    "artifact_store": [
        "%artifact-store register bad --flavor=leaky --path=there --address={ref}",
        "%stack register other -o default -a bad --set",
        STEP,
        "%pipeline run",
        "%artifacts verify",
    ],
    "model_registry": [
        STEP,
        "%model-registry register bad --flavor=leaky --address={ref}",
        "%stack register other -o default -a default --model-registry=bad --set",
        "%model register m --from model",
        "import zennb\nzennb.load('m@champion')",
        "zennb.models()",
    ],
    "model_deployer": [
        "%%step train\nimport operator, functools\nmodel = functools.partial(operator.mul, 2)",
        "%model-deployer register bad --flavor=leaky --address={ref}",
        "%stack register other -o default -a default --model-deployer=bad --set",
        "%model register m --from model",
        "%model deploy m",
        "%deployment list",
        "import zennb\nzennb.deployments()",
    ],
}
REFERENCES = ("env:TEAM_ADDRESS", "keyring:team/ada", "secret:TEAM")


def searched(notebook: Notebook, tmp_path: Path, ran: list[Ran], *secrets: str) -> None:
    """Ask for everything, and expect the secrets nowhere."""
    ran += [notebook.cell(line) for line in LISTINGS]
    widgets = [place for secret in secrets for place in found_in_widgets(secret)]
    notebook.stop()
    try:
        for secret in secrets:
            assert found_in_outputs(ran, secret) == []
            assert found_in_tables(tmp_path, secret) == []
            assert found_in_files(tmp_path, secret) == []
        assert widgets == []
    finally:
        notebook.start()


@pytest.mark.parametrize(("kind", "reference"), list(zip(REGISTER, cycle(REFERENCES), strict=False)))
def test_a_secret_of_a_component_stays_with_it_whatever_it_raises(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, reference: str
) -> None:
    if reference.startswith("keyring"):
        install_keyring(monkeypatch).entries["team", "ada"] = VALUE
    ran = [notebook.cell("%secret set TEAM")]
    ran += [notebook.cell(text.replace("{ref}", reference)) for text in REGISTER[kind]]
    assert any("••••" in f"{each.out}{each.displays}{each.error}" for each in ran), "it was asked"
    searched(notebook, tmp_path, ran, VALUE)


TYPED = (
    f"%alerter register bad --flavor=leaky --address={TOKEN}",
    f"%alerter register bad --flavor=apprise --url=slack://{TOKEN}",
    f"%alerter register bad --flavor=leaky --address env:X --password={TOKEN}",
    f"%experiment-tracker register bad --flavor=mlflow --tracking_uri=http://me:{TOKEN}@example.org",
    f"%artifact-store register bad --flavor=fsspec --path=sftp://me:{TOKEN}@example.org/x",
    f"%artifact-store register bad --flavor=s3 --path=s3://bucket --secret={TOKEN}",
    f"%artifact-store register bad --flavor=leaky --path=/tmp/{TOKEN} --address={TOKEN}",
    f"%stack register {TOKEN}",
    f"%runs show {TOKEN}",
    f"%runs list --status password={TOKEN}",
    f"%secret set TEAM {TOKEN}",
    f"%secret set TEAM={TOKEN}",
    f"%runs tag 1 {TOKEN} password={TOKEN}",
    f"%runs note 1 'with {TOKEN}'",
    f"%artifacts note model 'with {TOKEN}'",
    f"%model register m --from model --note 'with {TOKEN}' --tag url=http://me:{TOKEN}@example.org",
    f"%%step train --notify bad:{TOKEN}\nmodel = 1",
    f"%%step train --pasword {TOKEN}\nmodel = 1",
    f"%pipeline run -p password={TOKEN}",
    f"%pipeline run --password={TOKEN}",
)


def test_a_secret_that_is_typed_into_a_command_is_neither_repeated_nor_kept(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.run("password = 'none-1'", STEP, "%%step use\nn = len(password)")
    ran = [notebook.cell(cell) for cell in TYPED]
    ran += [notebook.cell(f"{cell} --json") for cell in TYPED if not cell.startswith("%%")]
    assert sum(each.error is not None for each in ran) > len(TYPED)
    searched(notebook, tmp_path, ran, TOKEN)


def test_a_secret_that_was_asked_for_is_in_no_output_of_a_step_that_is_replayed(
    notebook: Notebook, tmp_path: Path
) -> None:
    ran = notebook.run("%secret set TEAM", "from zennb.components.secret import Secret")
    cell = "%%step train\nvalue = Secret('secret:TEAM').reveal()\nprint('got', value)\nn = len(value)"
    notebook.run(cell)
    ran += notebook.run(cell.replace("print('got', value)", "pass"))
    searched(notebook, tmp_path, ran, VALUE)


def test_a_failing_step_records_no_secret_of_a_component(notebook: Notebook, tmp_path: Path) -> None:
    ran = notebook.run(
        "%secret set TEAM",
        "%alerter register bad --flavor=leaky --address=secret:TEAM",
        "from zennb.components.secret import Secret",
    )
    notebook.cell("%%step train --notify bad\nraise ValueError(Secret('secret:TEAM').reveal())")
    searched(notebook, tmp_path, ran, VALUE)


def test_the_planted_secret_is_found_where_nothing_hides_it(notebook: Notebook, tmp_path: Path) -> None:
    ran = notebook.run(f"print({VALUE!r})", f"%%step train\nmodel = 'a {VALUE[:5]}'")
    (tmp_path / "home" / "note.txt").write_text(VALUE)
    assert found_in_outputs(ran, VALUE) != []
    assert found_in_files(tmp_path, VALUE) != []
    assert found_in_tables(tmp_path, VALUE[:5]) != []
    assert "test_planted_secrets" in sys.modules[__name__].__name__
