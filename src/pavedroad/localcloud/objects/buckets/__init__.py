"""Buckets: that they are there, what is kept for each, and who may do what in them."""
