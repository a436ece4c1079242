"""Pages about numbers: the leaderboard as data, and the files that are made from it and from nothing else."""
