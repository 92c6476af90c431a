"""Options of torch: each is read, told apart, and set again as a step left it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.environment.torch_options import TORCH_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.jupyter.conftest import Notebook

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # what torch says about itself

KNOWN = {options.name: options for options in TORCH_OPTIONS}


def _cudnn(name: str, *, value: bool) -> Callable[[], None]:
    return lambda: setattr(torch.backends.cudnn, name, value)


DEEDS: dict[tuple[str, str], tuple[Callable[[], Any], Any]] = {
    ("torch options", "default_dtype"): (lambda: torch.set_default_dtype(torch.float64), "float64"),
    ("torch options", "deterministic"): (lambda: torch.use_deterministic_algorithms(True), [True, False]),
    ("torch options", "matmul_precision"): (lambda: torch.set_float32_matmul_precision("high"), "high"),
    ("torch options", "anomalies"): (lambda: torch.autograd.set_detect_anomaly(True, False), [True, False]),
    ("torch options", "printing"): (lambda: torch.set_printoptions(precision=2, sci_mode=True), None),
    ("torch options of a thread", "gradients"): (lambda: torch.set_grad_enabled(False), False),
    ("torch options of a thread", "device"): (lambda: torch.set_default_device("meta"), "meta"),
    ("torch options of cudnn", "benchmark"): (_cudnn("benchmark", value=True), True),
    ("torch options of cudnn", "deterministic"): (_cudnn("deterministic", value=True), True),
    ("torch options of cudnn", "enabled"): (_cudnn("enabled", value=False), False),
    ("threads of torch", "threads"): (lambda: torch.set_num_threads(torch.get_num_threads() + 1), None),
    ("hooks of torch", "hooks"): (lambda: torch.utils.hooks.RemovableHandle(OrderedDict()), None),
}


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """Leave the options as they were."""
    before = {name: options.read() for name, options in KNOWN.items()}
    yield
    for name, options in KNOWN.items():
        options.apply(options.change(options.read(), before[name]))


def test_every_option_has_a_test_here() -> None:
    assert set(DEEDS) == {
        (name, key) for name, options in KNOWN.items() for key in dict.fromkeys(options.keys())
    }


@pytest.mark.parametrize(("name", "key"), DEEDS, ids=lambda part: part)
def test_an_option_is_brought_from_one_state_to_the_other(name: str, key: str) -> None:
    options, (deed, expected) = KNOWN[name], DEEDS[name, key]
    others = {other: each.read() for other, each in KNOWN.items() if other != name}
    before = options.read()
    deed()
    after = options.read()
    change = options.change(before, after)
    assert change.keys() == {key}
    assert expected in (None, change[key])
    if key != "hooks":  # numbers that were given stay given
        options.apply(options.change(after, before))
        assert options.read() == before
    options.apply(change)
    assert options.read() == after
    assert others == {other: each.read() for other, each in KNOWN.items() if other != name}


def test_deterministic_algorithms_are_asked_for_again_on_reuse(notebook: Notebook) -> None:
    cells = ("import torch\ntorch.use_deterministic_algorithms(True)\nNone", "t = torch.ones(1)")
    for expected in ("completed", "cached"):
        ran = [notebook.cell(f"%%step s{at}\n{text}") for at, text in enumerate(cells)]
        assert [(each.status, each.error) for each in ran] == [(expected, None)] * 2
        shown = notebook.cell("print(torch.are_deterministic_algorithms_enabled())")
        assert (shown.out, torch.backends.cudnn.deterministic) == ("True\n", False)
        notebook.restart()
        torch.use_deterministic_algorithms(False)
