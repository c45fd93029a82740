"""Faults where they happen: in a guest's processes, and on the way to it. Standard library only: the guests'
supervisors import from here."""
