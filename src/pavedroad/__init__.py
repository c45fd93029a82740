"""Pavedroad: a private cloud in the box, and a paved road to ship services on it."""

__version__ = "0.1.0"
