"""Compare neural-architecture-search strategies on tables, surrogates and live training.

An architecture is measured once and what was seen is kept; every strategy then asks the same
question of three kinds of source (a table, a surrogate, live training) in one loop that leaves one
kind of record, from which leaderboards of error versus GPU-days are made.

Importing this package loads no heavy library: each room is imported where it is used.
"""

__version__ = "0.1.0"
