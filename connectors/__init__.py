"""A vendor's API, and nothing else."""
