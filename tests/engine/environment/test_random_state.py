"""The global random generators: nobody's until somebody seeds them, and set again as a step left them."""

from __future__ import annotations

import random
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.random_state import NumpyRandom, PlainRandom, TorchRandom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def generators() -> Iterator[None]:
    """Begin with a generator of numpy that nobody has seeded, and leave both as they were."""
    numpy: Any = np.random  # its stubs leave out the generator behind it
    plain, old = random.getstate(), numpy.get_bit_generator()
    random.setstate(random.Random().getstate())
    numpy.set_bit_generator(np.random.MT19937())
    yield
    random.setstate(plain)
    numpy.set_bit_generator(old)


DRAWS: list[Callable[[], object]] = [
    random.random,
    lambda: random.gauss(0, 1),
    lambda: random.shuffle(list(range(2000))),
    lambda: [random.random() for _ in range(5000)],
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_generator_that_nobody_seeded_is_nobodys_however_much_was_drawn(draw: Callable[[], object]) -> None:
    setting = PlainRandom()
    assert setting.digest(setting.read()) == UNTOUCHED
    for _ in range(3):
        draw()
        assert setting.digest(setting.read()) == UNTOUCHED


def test_earlier_states_of_a_generator_that_nobody_seeded_stay_nobodys() -> None:
    setting = PlainRandom()
    before = setting.read()
    random.random()
    after = setting.read()
    assert setting.digest(before) == setting.digest(after) == setting.digest(before) == UNTOUCHED


def test_once_it_is_seeded_every_state_counts() -> None:
    setting = PlainRandom()
    found = set()
    for seed in (1, 2, 1):
        random.seed(seed)
        found.add(setting.digest(setting.read()))
    random.random()
    found.add(setting.digest(setting.read()))
    assert len(found) == 3
    assert UNTOUCHED not in found


def test_a_generator_is_not_replaced_while_another_thread_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is a thread begins with a new one, and numpy does not protect the one before."""
    read, replacing = (
        np.random.get_state,
        threading.Thread(target=NumpyRandom().apply, args=({"state": None},)),
    )

    def slowly() -> Any:
        replacing.start()
        replacing.join(0.2)
        assert replacing.is_alive()
        return read()

    monkeypatch.setattr(np.random, "get_state", slowly)
    assert NumpyRandom().read() is not None
    replacing.join()


def test_where_code_may_have_run_before_nothing_is_taken_for_unseeded() -> None:
    setting = PlainRandom(is_fresh=False)
    assert setting.digest(setting.read()) != UNTOUCHED


@given(st.integers(), st.integers(0, 700), st.booleans())
@settings(max_examples=15, deadline=None)  # telling that nobody's state leads there takes a while
def test_a_seeded_generator_goes_on_as_a_step_left_it(seed: int, draws: int, gauss: bool) -> None:
    random.setstate(random.Random().getstate())  # hypothesis has seeded it
    setting = PlainRandom()
    random.seed(seed)
    before = setting.read()
    for _ in range(draws):
        random.random()
    if gauss:
        random.gauss(0, 1)  # keeps a second number back
    change = setting.change(before, setting.read())
    expected = [random.gauss(0, 1), random.random()]
    random.seed("something else")
    setting.apply(change)
    assert setting.digest(setting.read()) != UNTOUCHED
    assert [random.gauss(0, 1), random.random()] == expected


def test_a_generator_that_goes_on_from_an_unseeded_run_is_still_nobodys() -> None:
    first = PlainRandom()
    before = first.read()
    random.random()
    change = first.change(before, first.read())
    expected = random.random()
    random.setstate(random.Random().getstate())  # as in another kernel
    second = PlainRandom()
    second.apply(change)
    assert second.digest(second.read()) == UNTOUCHED
    assert random.random() == expected
    assert second.digest(second.read()) == UNTOUCHED


def test_numpys_generator_is_nobodys_until_it_is_seeded() -> None:
    setting = NumpyRandom()
    assert setting.digest(setting.read()) == UNTOUCHED
    np.random.rand(5)
    assert setting.digest(setting.read()) == UNTOUCHED
    np.random.seed(3)
    three = setting.digest(setting.read())
    np.random.rand(5)
    later = setting.digest(setting.read())
    np.random.seed(3)
    assert setting.digest(setting.read()) == three
    assert len({UNTOUCHED, three, later}) == 3


def test_loading_numpy_alone_is_no_change() -> None:
    setting = NumpyRandom()
    now = setting.read()
    assert setting.change(None, now) is None
    assert setting.change(now, None) is None
    np.random.rand(1)
    assert setting.change(now, setting.read()) is not None


@pytest.mark.parametrize("seed", [None, 3])
def test_numpys_generator_goes_on_as_a_step_left_it(seed: int | None) -> None:
    setting = NumpyRandom()
    if seed is not None:
        np.random.seed(seed)
    before = setting.read()
    np.random.standard_normal(3)  # of an odd number one is kept back
    np.random.standard_normal()
    change = setting.change(before, setting.read())
    expected = np.random.standard_normal(3).tolist()
    anew: Any = np.random
    anew.set_bit_generator(np.random.MT19937())
    setting.apply(change)
    assert (setting.digest(setting.read()) == UNTOUCHED) is (seed is None)
    assert np.random.standard_normal(3).tolist() == expected


def test_a_module_that_is_not_loaded_or_only_half_has_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, name in ((NumpyRandom(), "numpy.random"), (TorchRandom(), "torch")):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())  # being imported
        assert setting.read() is None
        assert setting.digest(None) == UNTOUCHED
        monkeypatch.delitem(sys.modules, name)
        assert setting.read() is None


class _Bytes(list[int]):
    def tolist(self) -> list[int]:
        return list(self)


class _Generator:
    """What is used of a generator of torch: its state begins with the seed, and ends with how much was drawn."""

    def __init__(self, seed: int = 0) -> None:
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> _Generator:
        self.state = _Bytes([*seed.to_bytes(8, "little"), 0])
        return self

    def get_state(self) -> _Bytes:
        return _Bytes(self.state)


class _Torch:
    """What is used of torch."""

    uint8 = "uint8"
    Generator = _Generator

    def __init__(self, seed: int) -> None:
        self.own = _Generator(seed)

    def seed(self) -> None:
        self.own.manual_seed(random.getrandbits(64) | 1 << 63)

    def get_rng_state(self) -> _Bytes:
        return self.own.get_state()

    def set_rng_state(self, state: _Bytes) -> None:
        self.own.state = state

    def tensor(self, values: list[int], *, dtype: object, device: str) -> _Bytes:
        assert (dtype, device) == (self.uint8, "cpu")
        return _Bytes(values)

    def draw(self) -> int:
        self.own.state[-1] += 1
        return self.own.state[-1]


OWN, OTHER = 2**63 + 1, 2**63 + 5  # seeds that torch chose in two kernels


@pytest.mark.parametrize("seed", [None, 3, 2**50])
def test_torchs_generator_counts_once_somebody_has_seeded_it(
    monkeypatch: pytest.MonkeyPatch, seed: int | None
) -> None:
    torch = _Torch(OWN)
    monkeypatch.setitem(sys.modules, "torch", torch)
    setting = TorchRandom()
    before = setting.read()
    assert setting.digest(before) == UNTOUCHED
    assert setting.change(None, before) is None
    if seed is not None:
        torch.own.manual_seed(seed)
    torch.draw()
    after = setting.read()
    assert (setting.digest(after) == UNTOUCHED) is (seed is None)
    change, drawn = setting.change(before, after), torch.draw()
    # In another kernel, which chose another seed: the state is set again, and stays nobody's if it was.
    torch.own.manual_seed(OTHER)
    elsewhere = TorchRandom()
    assert elsewhere.digest(elsewhere.read()) == UNTOUCHED
    elsewhere.apply(change)
    assert torch.draw() == drawn
    assert (elsewhere.digest(elsewhere.read()) == UNTOUCHED) is (seed is None)


def test_a_seed_of_torch_in_the_cell_that_loads_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", _Torch(1234))
    setting = TorchRandom()
    assert setting.digest(setting.read()) != UNTOUCHED
    assert setting.change(None, setting.read())["seeded"]


def test_going_back_to_before_torch_was_seeded_leaves_a_state_of_nobodys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", _Torch(5))
    setting = TorchRandom()
    setting.apply(setting.change(setting.read(), None))
    assert setting.digest(setting.read()) == UNTOUCHED


def test_what_a_step_began_with_stays_nobodys_though_it_is_asked_for_after_the_change() -> None:
    setting = PlainRandom()
    before = setting.read()
    random.random()
    after = setting.read()
    assert not setting.change(before, after)["seeded"]
    assert setting.digest(before) == setting.digest(after) == UNTOUCHED


def test_a_state_that_no_drawing_leads_to_was_set_by_somebody() -> None:
    random.random()
    earlier = random.getstate()
    random.random()  # from the same words
    setting = PlainRandom()
    random.setstate(earlier)
    assert setting.digest(setting.read()) != UNTOUCHED
