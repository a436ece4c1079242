"""The NAS-Bench-101 door: scripts written for ``from nasbench import api`` run without TensorFlow.

    from nasbench import api

    nasbench = api.NASBench("nasbench_full.tfrecord")
    cell = api.ModelSpec(matrix=[[0, 1], [0, 0]], ops=["input", "output"])
    data = nasbench.query(cell)

The official file is read once and kept in the user's cache; a table that ``nasbench import nb101`` wrote
opens in milliseconds. For new programs ``nasbench.store`` and ``nasbench.runs`` are the better way in: they
keep validation and test apart, name the repeat, and say what is charged.
"""

from __future__ import annotations

from nasbench.compat.nb101.dataset import NASBench
from nasbench.compat.nb101.model_spec import ModelSpec, OutOfDomainError

__all__ = ["ModelSpec", "NASBench", "OutOfDomainError"]
