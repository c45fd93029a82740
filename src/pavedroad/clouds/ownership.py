"""Whose a thing in the cloud is: its tags say so, and what does not say that it is ours is left as it is."""

from __future__ import annotations

from collections.abc import Mapping

from pavedroad.core.errors import Conflict

_NEXT = "Remove it, or deploy under another stack or detail."


def is_known(tags: Mapping[str, str], known_by: Mapping[str, str]) -> bool:
    """Whether a thing carries all that its maker would know it by; by nothing, nothing is known."""
    return bool(known_by) and all(tags.get(key) == text for key, text in known_by.items())


def check_known(kind: str, name: str, tags: Mapping[str, str], known_by: Mapping[str, str]) -> None:
    """Nothing, or the Conflict that a stranger's thing of this name is."""
    if not is_known(tags, known_by):
        raise stranger(kind, name)


def stranger(kind: str, name: str, *, next_step: str = _NEXT) -> Conflict:
    return Conflict(
        f"A {kind} named {name} is there already, made by something else: it is left as it is.",
        next_step=next_step,
    )
