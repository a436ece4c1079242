"""Contract checks for strategies, spaces and sources, shipped for whoever writes one.

Each check raises ``ContractViolation`` naming the rule broken, or returns the names of the rules passed::

    from nasbench.testing import SPACE_RULES, check_strategy

    def test_my_strategy_keeps_the_contract():
        check_strategy(MyStrategy, temperature=0.5)
"""

from __future__ import annotations

from nasbench.testing.contract import ContractViolation
from nasbench.testing.source import check_source
from nasbench.testing.space import check_space
from nasbench.testing.strategy import SPACE_RULES, check_strategy
from nasbench.testing.toys import ToyChain, toy_relaxed_setting, toy_setting, toy_space

__all__ = [
    "SPACE_RULES",
    "ContractViolation",
    "ToyChain",
    "check_source",
    "check_space",
    "check_strategy",
    "toy_relaxed_setting",
    "toy_setting",
    "toy_space",
]
