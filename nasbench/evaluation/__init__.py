"""One evaluator over the three kinds of source: replicate choice, charging, sealing."""

from __future__ import annotations

from nasbench.evaluation.charging import Charging
from nasbench.evaluation.evaluator import Answer, Evaluator
from nasbench.evaluation.opening import open_source
from nasbench.evaluation.source import Source

__all__ = ["Answer", "Charging", "Evaluator", "Source", "open_source"]
