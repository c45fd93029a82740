"""The names of applications, clusters and server groups, parsed and built.

The grammar is Frigga's: a server group is `app[-stack[-detail]]-vNNN`, its cluster is the name without
the push suffix; application and stack are `[a-zA-Z0-9._]+`, a detail may also hold `-`, `~` and `^`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pavedroad.core.errors import InvalidInput

_PART = r"[a-zA-Z0-9._]+"
_DETAIL = r"[a-zA-Z0-9._~^-]+"
_CLUSTER = re.compile(rf"(?P<app>{_PART})(?:-(?P<stack>{_PART})?(?:-(?P<detail>{_DETAIL}))?)?")
_PUSH = re.compile(r"(?P<cluster>.+)-v(?P<push>[0-9]{3,6})")
_LABELS = {
    "c": "country",
    "d": "phase",
    "h": "hardware",
    "p": "partner",
    "r": "revision",
    "u": "used_by",
    "w": "red_black_swap",
    "z": "zone",
}
_LABEL = re.compile(r"(?P<key>[cdhpruwz])0(?P<value>[a-zA-Z0-9]+)")
_PUSHES = 1000
LONGEST = 255


@dataclass(frozen=True, slots=True)
class ClusterName:
    """`app-stack-detail`, in its parts."""

    application: str
    stack: str | None = None
    detail: str | None = None

    @classmethod
    def parse(cls, name: str) -> ClusterName:
        match = _CLUSTER.fullmatch(name)
        if match is None or _PUSH.fullmatch(name) or len(name) > LONGEST:
            raise InvalidInput(
                f"'{name}' is not a cluster's name: it takes the form app, app-stack or app-stack-detail, "
                "of letters, digits, '.' and '_', without a version at its end.",
                next_step="Name one such as `api`; those that are there: paved clusters.",
            )
        return cls(match["app"], match["stack"] or None, match["detail"] or None)

    def __str__(self) -> str:
        if self.detail:
            return f"{self.application}-{self.stack or ''}-{self.detail}"
        return f"{self.application}-{self.stack}" if self.stack else self.application

    @property
    def labels(self) -> dict[str, str]:
        """The labelled variables inside the detail: `c0us` is country `us`."""
        found = (_LABEL.fullmatch(part) for part in (self.detail or "").split("-"))
        return {_LABELS[match["key"]]: match["value"] for match in found if match}


@dataclass(frozen=True, slots=True)
class ServerGroupName:
    """A cluster's name with its push number: `app-stack-detail-v003`."""

    cluster: ClusterName
    push: int

    @classmethod
    def parse(cls, name: str) -> ServerGroupName:
        match = _PUSH.fullmatch(name)
        if match is None:
            raise InvalidInput(
                f"'{name}' is not a server group's name: it ends in a version such as -v003.",
                next_step="List them: paved clusters.",
            )
        return cls(ClusterName.parse(match["cluster"]), int(match["push"]))

    @classmethod
    def first(cls, cluster: ClusterName) -> ServerGroupName:
        return cls(cluster, 0)

    def next(self) -> ServerGroupName:
        """The following push; after v999 comes v000."""
        return ServerGroupName(self.cluster, (self.push + 1) % _PUSHES)

    def __str__(self) -> str:
        return f"{self.cluster}-v{self.push:03d}"


def is_application(name: str) -> bool:
    """Whether an application may be called so."""
    return len(name) <= LONGEST and re.fullmatch(_PART, name) is not None


def is_server_group(name: str) -> bool:
    """Whether a name carries a push suffix."""
    return _PUSH.fullmatch(name) is not None


def is_segment(name: str) -> bool:
    """Whether a name may be one segment of an address: `..` and what has a slash would lead elsewhere."""
    return name not in ("", ".", "..") and "/" not in name and "\\" not in name and name.isprintable()
