"""What stands in for training where a table has no answer of its own kind."""
