"""What can be predicted where a table has no answer: fitted models, and relaxations.

``fitting.fit_surrogate`` makes a ``Surrogate`` from a table, ``files`` keeps it in one HDF5 file without
pickle, ``members`` holds the models behind it. ``multilinear`` relaxes a table for differentiable strategies.
"""
