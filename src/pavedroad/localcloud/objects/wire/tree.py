"""XML that comes in, as a tree: within limits, without entities and document types, namespaces left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from pavedroad.localcloud.objects.refusals import malformed

_MOST_ELEMENTS = 125_000
"""An upload of 10,000 parts is completed with fewer."""
_DEEPEST = 32
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(slots=True)
class Element:
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those of the schema instance's namespace have names that begin with `xsi:`."""
    text: str = ""
    children: list[Element] = field(default_factory=list["Element"])


def parsed(document: bytes) -> Element:
    """Its root. Refuses what is not well-formed, and what is too much."""
    building = _Building()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.said
    parser.StartDoctypeDeclHandler = building.refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise malformed() from None
    if building.root is None:
        raise malformed()
    return building.root


class _Building:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            raise malformed()
        named = {_attribute(it): value for it, value in attributes.items()} if attributes else {}
        element = Element(name.rpartition(" ")[2], named)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def said(self, text: str) -> None:
        self._texts[-1].append(text)

    def refuse(self, *_: object) -> None:
        raise malformed()


def _attribute(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return f"xsi:{local}" if namespace == _SCHEMA_INSTANCE else local
