"""What can be predicted where a table has no answer: fitted models, and relaxations.

``fitting.fit_surrogate`` makes a ``Surrogate`` from a table, ``files`` keeps it in one HDF5 file without
pickle, ``members`` holds the models behind it. ``multilinear`` relaxes a table that answers
for its whole space for differentiable strategies, and ``relaxed`` fits a differentiable network on any other.
"""
