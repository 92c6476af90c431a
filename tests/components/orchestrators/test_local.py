from __future__ import annotations

import pytest

from zennb.components.orchestrators.local import LocalOrchestrator
from zennb.testing.orchestrator import OrchestratorContract


class TestLocalOrchestrator(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self) -> LocalOrchestrator:
        return LocalOrchestrator.from_config("test", {})


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_goes_to_the_caller(interrupt: type[BaseException]) -> None:
    def interrupted() -> None:
        raise interrupt

    with pytest.raises(interrupt):
        LocalOrchestrator(name="test").submit(interrupted)


def test_the_traceback_is_the_users_own() -> None:
    def fails() -> None:
        raise ValueError

    error = LocalOrchestrator(name="test").submit(fails).exception()
    assert error is not None
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_next is not None
    assert error.__traceback__.tb_next.tb_frame.f_code is fails.__code__
