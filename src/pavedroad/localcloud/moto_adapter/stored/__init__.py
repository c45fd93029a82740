"""Services that are moto's whole: each is imported at its first call, and kept over restarts."""
