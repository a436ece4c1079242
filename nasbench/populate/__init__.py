"""Filling tables by training: what is missing, who trains it, and a ledger that keeps what is finished.

Start with ``nasbench.populate.filling.fill``. The table itself is written by ``nasbench.store.writer``.
"""
