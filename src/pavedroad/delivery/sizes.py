"""How many instances a server group has, and how many it takes to stand in for others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pavedroad.clouds.model import ServerGroup
from pavedroad.manifest.model import Capacity


@dataclass(frozen=True, slots=True)
class Sizes:
    """A server group's: `minimum <= desired <= maximum`."""

    minimum: int
    desired: int
    maximum: int

    def at_least(self, other: Sizes) -> Sizes:
        return Sizes(
            max(self.minimum, other.minimum),
            max(self.desired, other.desired),
            max(self.maximum, other.maximum),
        )

    def told(self, desired: int) -> Sizes:
        """With so many instances; a range that holds them stays, one that is a single number follows."""
        if self.minimum == self.maximum:
            return Sizes(desired, desired, desired)
        return Sizes(min(self.minimum, desired), desired, max(self.maximum, desired))


NONE = Sizes(0, 0, 0)


def of_group(group: ServerGroup) -> Sizes:
    return Sizes(group.minimum, group.desired, group.maximum)


def of_manifest(capacity: Capacity) -> Sizes:
    return Sizes(capacity.minimum, capacity.desired, capacity.maximum)


def together(many: Iterable[Sizes]) -> Sizes:
    """What groups that share the traffic have between them."""
    held = list(many)
    return Sizes(sum(s.minimum for s in held), sum(s.desired for s in held), sum(s.maximum for s in held))


def standing_in(own: Sizes, losing: Sizes, told: int | None = None) -> Sizes:
    """What a group needs that takes the traffic of others: no fewer instances than they have, unless told."""
    if told is not None:
        return own.told(told)
    if own.desired >= max(1, losing.desired):
        return own
    return own.at_least(losing).at_least(Sizes(0, 1, 1))


def of_new_group(asked: Sizes, before: Sizes | None, losing: Sizes, told: str) -> Sizes:
    """A new group's, where the manifest asks for `asked`, and asked for `before` when the losing groups were
    made (None where that is not known). `told` is a number, `manifest`, or empty.

    The losing groups' size is kept, whoever made it so, unless the manifest's was changed since: then it is
    the larger of both.
    """
    if told == "manifest" or (not told and losing.desired == 0):
        return asked
    if told:
        return (losing if losing.desired else asked).told(int(told))
    return losing if asked == before else asked.at_least(losing)
