"""A request as a signature covers it: just as it came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from pavedroad.localcloud.api.virtual_hosts import bucket_of_host


@dataclass(frozen=True)
class Message:
    """`path` and `query` are raw, percent-encoded; `headers` by lower-case names, those of one name joined by
    a comma, without needless space; values are Latin-1, one letter for one byte."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """Of the query, decoded; the first where there are several of a name."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))

    @cached_property
    def bucket(self) -> str:
        """S3's bucket that the host's name says, as S3 will find it; empty where the path says it."""
        return bucket_of_host(self.headers.get("host", ""))


def message_of(method: str, path: str, query: str, headers: Iterable[tuple[bytes, bytes]]) -> Message:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        # Not by `str.split`, for which some Latin-1 letters are space.
        value = b" ".join(raw_value.split()).decode("latin-1")
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return Message(method, path, query, joined)
