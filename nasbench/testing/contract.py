"""What a broken contract is: the rule's name, and in words what was wanted and what came."""

from __future__ import annotations

from nasbench.errors import NasbenchError


class ContractViolation(NasbenchError):
    """A strategy, space or source breaks a rule of its contract.

    Attributes:
        rule: Name of the rule, as the checks return it.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule


def require(holds: bool, rule: str, message: str) -> None:
    """Go on where the rule holds.

    Raises:
        ContractViolation: It does not.
    """
    if not holds:
        raise ContractViolation(rule, message)
