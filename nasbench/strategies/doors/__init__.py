"""Doors to optimizers of other libraries: each a strategy with the library behind it, brought by an extra.

They are found by their entry points in ``pyproject.toml``, as those of any outside package; ``docs/doors.md``
says which options lead to which algorithm.
"""
