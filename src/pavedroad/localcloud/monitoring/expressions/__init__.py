"""Metric math: its grammar, its functions, and queries made of it."""
