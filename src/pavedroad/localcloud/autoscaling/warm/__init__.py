"""Warm pools: instances that are prepared beside a group, and taken into it when it grows."""
