"""The `executor` orchestrator on engines of ipyparallel, which are kernels with a shell of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.orchestrators.executor import ExecutorOrchestrator
from zennb.errors import WorkerLost
from zennb.testing.orchestrator import OrchestratorContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.testing.steps import Bench

ipyparallel = pytest.importorskip("ipyparallel")

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # it leaves sockets and the logs of engines open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a cluster of two engines on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        made = ipyparallel.Cluster(n=2, cluster_id="tests", log_level=40)
        made.start_cluster_sync()
        try:
            with made.connect_client_sync() as client:
                client.wait_for_engines(2, timeout=PATIENCE)
            yield made
        finally:
            made.stop_cluster_sync()


class TestIpyparallel(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self, cluster: Any) -> Iterator[ExecutorOrchestrator]:
        arguments = {"profile_dir": cluster.profile_dir, "cluster_id": cluster.cluster_id}
        config = {"factory": "ipyparallel.Client", "arguments": repr(arguments)}
        orchestrator = ExecutorOrchestrator.from_config("engines", config)
        yield orchestrator
        orchestrator.close()

    def test_each_engine_runs_many_steps(self, bench: Bench) -> None:
        pids = set()
        for number in range(6):
            done = bench.step(f"import os\nprint({number})\npid, squared = os.getpid(), {number} ** 2")
            assert done.error is None
            assert done.values["squared"] == number**2
            assert [event["text"] for event in done.shown] == [f"{number}\n"]
            pids.add(done.values["pid"])
        assert len(pids) == 2

    def test_a_step_that_ends_its_engine_is_named_and_others_go_on(self, bench: Bench) -> None:
        done = bench.step("import os\nos._exit(3)")  # last: an engine is gone
        assert isinstance(done.error, WorkerLost)
        assert "EngineError" in str(done.error)
        assert bench.step("answer = 42").values == {"answer": 42}
