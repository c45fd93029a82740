"""Lifecycle hooks: what an instance waits for on its way into a group, and on its way out."""
