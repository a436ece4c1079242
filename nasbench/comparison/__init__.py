"""Numbers about runs: curves, ranks, intervals, tests. Arrays in, numbers out; nothing here draws or writes.

Shape convention: one entry (a strategy with its options) is a (runs, grid) array, nan where a run had no
result yet. Nothing is imputed.
"""
