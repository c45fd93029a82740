"""What the private cloud reads of its environment, when it runs alone too."""

from __future__ import annotations

import os

from pavedroad.core.confinement import WISH
from pavedroad.core.errors import InvalidInput
from pavedroad.core.numbers import count

_NUMBERS = {"PAVED_CLOUD_INSTANCE_LIMIT": 2000, "PAVED_CLOUD_VCPU_LIMIT": 16000}


def read(variable: str) -> int:
    """A limit: at least one. `InvalidInput` names the variable."""
    text = os.environ.get(variable) or str(_NUMBERS[variable])
    if not (number := count(text)):
        raise InvalidInput(f"The setting {variable} is '{text[:200]}': it is no number from 1 on.")
    return number


def check() -> None:
    """Refuse by name what the cloud's processes could not take."""
    for variable in _NUMBERS:
        read(variable)
    if (wish := os.environ.get(WISH, "")) not in ("", "auto", "none"):
        raise InvalidInput(f"The setting {WISH} is '{wish[:200]}': it is either 'auto' or 'none'.")
