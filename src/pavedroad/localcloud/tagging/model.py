"""What has tags, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tagged:
    """`kind` is AWS's name of what it is, as `ec2:instance`."""

    arn: str
    kind: str
    tags: Mapping[str, str]


class Tags(Protocol):
    """The tags that one service keeps, or several."""

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        """Everything there, with tags or without; with the state lock held."""
        ...

    def has(self, arn: str) -> bool:
        """Whether what is called so is its to tag; it need not be there."""
        ...

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        """`ServiceError` where it cannot be, or is not there."""
        ...

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        """As `tag`; keys that it does not have are of no account."""
        ...
