"""Owns the `slurm` orchestrator: each call is a batch job of SLURM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.components.cluster_jobs import ClusterOrchestrator

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["SlurmOrchestrator"]

_OPTIONS = ("partition", "account", "qos", "constraint", "reservation", "gres", "gpus")
"""Options of `sbatch` that a job gets as they are written in `resources`."""

# pysqa's own template asks for an empty partition where none is given, and for tasks in place of the cores of one.
_TEMPLATE = "".join(
    [
        "#!/bin/bash\n#SBATCH --job-name={{job_name}}\n#SBATCH --chdir={{working_directory}}\n",
        "#SBATCH --output=job.log\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task={{cores}}\n",
        *(f"{{% if {each} %}}#SBATCH --{each}={{{{{each}}}}}\n{{% endif %}}" for each in _OPTIONS),
        "{% if memory_max %}#SBATCH --mem={{memory_max}}G\n{% endif %}",
        "{% if run_time_max %}#SBATCH --time={{ (run_time_max + 59) // 60 }}\n{% endif %}",
        "{{setup}}\n{{command}}\n",
    ]
)
"""`memory_max` is in GB and `run_time_max` in seconds, as everywhere in pysqa; `setup` are lines before the command."""


class SlurmOrchestrator(ClusterOrchestrator):
    """Submits jobs with `sbatch`, and follows them with `squeue`."""

    flavor = "slurm"
    description = "runs each step as a batch job of SLURM"
    system = "SLURM"
    template = _TEMPLATE

    def cluster_executor(self, **options: Any) -> Executor:
        """Return executorlib's executor."""
        from executorlib import SlurmClusterExecutor  # only here: with it come h5py and pandas

        executor: Executor = SlurmClusterExecutor(**options)
        return executor
