"""The HTTP surface: it translates and does nothing else."""
