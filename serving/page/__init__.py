"""The live web page: a process of its own that reads metrics and Redis, and nothing else."""
