"""What a service keeps, as a versioned JSON document: fields by name, and everything back as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from pavedroad.localcloud.codec import Codec, DecodeError

T = TypeVar("T")
Upgrade = Callable[[Any], Any]
"""The data of a document as the next version has it."""


class Document(Generic[T]):
    """How one service's state is written. `unions` give the names of their members, which outlive those of
    the classes; `upgrades` take data from the version that is their key to the next."""

    kind = "document"

    def __init__(
        self,
        of: type[T],
        unions: Mapping[Any, Mapping[str, type]] | None = None,
        *,
        number: int = 1,
        upgrades: Mapping[int, Upgrade] | None = None,
    ) -> None:
        self._of = of
        self._codec = Codec(unions or {}, tag="is")
        self._number = number
        self._upgrades = upgrades or {}

    @property
    def version(self) -> str:
        return str(self._number)

    def encode(self, value: T) -> bytes:
        return self._codec.dumps(value, self._of)

    def decode(self, body: bytes, version: str) -> T:
        """`DecodeError` where it cannot be; of a newer version too."""
        number = int(version)
        if number > self._number:
            raise DecodeError(f"it is of version {number}, and this one reads up to {self._number}")
        data: Any = json.loads(body)
        for older in range(number, self._number):
            data = self._upgrades[older](data)
        return self._codec.decode(self._of, data)
