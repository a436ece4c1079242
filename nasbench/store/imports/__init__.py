"""Readers of other people's result files; each ends in a ``TableData`` whose values equal the source's."""
