"""Names of those who ask: whoever reads the log may take none of them for the platform, or for another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from pavedroad.core.errors import Conflict, InvalidInput

LONGEST = 100
STRANGER: Final = "stranger"
FIRST: Final = "administrator"
STARTER: Final = "paved up"
CLEANER: Final = "clean-up"
_OURS = (STRANGER, FIRST, STARTER, CLEANER, "admin", "root", "system", "unknown", "nobody")
_BEGINNING = "paved"
"""So begin the names of our own commands and parts."""
_LOOKALIKES = str.maketrans(
    "авеѕіїјкӏмнорсԛтухһԁԝαβεϲικνορτυχϳıɑɡ",
    "abesiijklmhopcqtyxhdwabecikvoptuxjiag",
)
"""Small letters of other alphabets by the Latin ones that they are taken for."""
_ANOTHER = "Choose another, such as 'ci' or 'ada'."


def check_name(name: str, others: Iterable[str] = ()) -> None:
    """`InvalidInput` for a name that misleads; `Conflict` for one that only looks like one of the others'."""
    if not name or len(name) > LONGEST:
        raise InvalidInput(f"A name has 1 to {LONGEST} characters.", next_step=_ANOTHER)
    if any(_is_unseen(it) for it in name) or name != " ".join(name.split(" ")).strip() or "  " in name:
        raise InvalidInput(
            "A name has no control characters, no spaces at its ends and no more than one between its words.",
            next_step=_ANOTHER,
        )
    if name != unicodedata.normalize("NFKC", name):
        raise InvalidInput("The name has characters that only look like others.", next_step=_ANOTHER)
    seen = _as_seen(name)
    if not seen or seen in _RESERVED or seen.startswith(_BEGINNING):
        raise InvalidInput(f"The name '{name}' is the platform's own.", next_step=_ANOTHER)
    for other in others:
        if other != name and _as_seen(other) == seen:
            raise Conflict(f"The name '{name}' looks like '{other}', who is known here.", next_step=_ANOTHER)


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or (category.startswith("Z") and character != " ")


def _as_seen(name: str) -> str:
    """What is left for a reader who heeds neither case nor alphabets, neither spaces nor dashes."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(it for it in plain.translate(_LOOKALIKES) if it.isalnum())


_RESERVED = frozenset(map(_as_seen, _OURS))
