"""Faults on purpose: what is made to fail, on what, how long, and what that means for everything else."""
