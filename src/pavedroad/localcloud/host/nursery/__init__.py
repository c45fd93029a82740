"""The small process that every guest descends from, and the shims it forks, one a guest.

Runs isolated (`python -I -S`), single-threaded, on the standard library alone: whatever is imported here is
shared by every shim, and nothing here may ever wait for the host.
"""
