"""A rule's transforms: what is sent on in place of a request's host or URL."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pavedroad.localcloud.balancing.asked import Parameters, invalid, one_of
from pavedroad.localcloud.expressions import flaw, groups
from pavedroad.localcloud.wanted import Transform

_CONFIGS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
_PARTS = {"host-header-rewrite": "host", "url-rewrite": "url"}
_LONGEST = 1024
_NO_VALUE = re.compile(r"[\0\r\n]")
"""What Envoy takes in no value of a header."""


def read_transforms(given: Sequence[Parameters]) -> tuple[Transform, ...]:
    kinds = [one_of(it.get("Type", ""), _CONFIGS, "The transform type") for it in given]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise invalid(f"A rule can have only one transform of type '{kind}'")
    return tuple(_read(kind, it) for kind, it in zip(kinds, given, strict=True))


def check_expression(text: str, longest: int) -> str:
    """A regular expression that Envoy understands."""
    if not 1 <= len(text) <= longest:
        raise invalid(f"A regular expression must have 1 to {longest} characters")
    if why := flaw(text):
        raise invalid(f"The regular expression '{text}' is not valid: {why}")
    return text


def _read(kind: str, given: Parameters) -> Transform:
    for other, config in _CONFIGS.items():
        if other != kind and config in given:
            raise invalid(f"'{config}' cannot be specified for a transform of type '{kind}'")
    rewrites: list[Parameters] = given.get(_CONFIGS[kind], {}).get("Rewrites", [])
    if len(rewrites) != 1:
        raise invalid(f"A transform of type '{kind}' must have one rewrite")
    regex = check_expression(rewrites[0].get("Regex", ""), _LONGEST)
    replacement = rewrites[0].get("Replace", "")
    if len(replacement) > _LONGEST:
        raise invalid(f"A replacement can have at most {_LONGEST} characters")
    if _NO_VALUE.search(replacement):
        raise invalid(f"The replacement {replacement!r} has characters that no header may have")
    if any(int(number) > groups(regex) for number in re.findall(r"\$([0-9])", replacement)):
        raise invalid(f"The replacement '{replacement}' names a group that '{regex}' does not have")
    return Transform("host" if _PARTS[kind] == "host" else "url", regex, replacement)


def write_transforms(transforms: Sequence[Transform]) -> list[Parameters]:
    return [_write(transform) for transform in transforms]


def _write(transform: Transform) -> Parameters:
    kind = "host-header-rewrite" if transform.part == "host" else "url-rewrite"
    rewrite = {"Regex": transform.regex, "Replace": transform.replace}
    return {"Type": kind, _CONFIGS[kind]: {"Rewrites": [rewrite]}}
