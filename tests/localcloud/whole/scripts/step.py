"""One call of a script, and how its parameters come about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.localcloud.moto_adapter.generated import model_of, parameters

Json = dict[str, Any]
_WORD = re.compile(r"\$([A-Za-z0-9_.]+)")


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation requires beyond what is given is made from botocore's model. `$X` stands for what an
    earlier answer called X, `$tag.X` for what the answer of the step with that tag did."""

    operation: str
    tag: str = ""
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    service: str = ""
    """Another than the script's, for what its operations need of it."""
    until: Callable[[Any], bool] | None = None
    """Of the answer: it is asked again until it is so."""

    def __str__(self) -> str:
        return f"{self.operation} {self.tag}".rstrip()

    def parameters(self, service: str, known: Mapping[str, Any]) -> Json:
        shape = model_of(self.service or service).operation_model(self.operation).input_shape
        given = {name: _filled(value, known) for name, value in self.given.items()}
        return {**parameters(shape, known=known), **given} if shape is not None else {}

    def learn(self, answer: Any, known: Json) -> None:
        """What the answer says first of each name, under its tag too."""
        for name, value in _named(answer):
            known.setdefault(name, value)
            if self.tag:
                known.setdefault(f"{self.tag}.{name}", value)


def do(operation: str, tag: str = "", /, **given: Any) -> Step:
    """`service.Operation` where it is another service's."""
    service, _, name = operation.rpartition(".")
    return Step(name, tag, given, service)


def wait(operation: str, until: Callable[[Any], bool], /, **given: Any) -> Step:
    return Step(operation, "", given, "", until)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if callable(value):
        return value(known)
    if isinstance(value, str):
        whole = _WORD.fullmatch(value)
        return known[whole[1]] if whole else _WORD.sub(lambda found: str(known[found[1]]), value)
    if isinstance(value, dict):
        return {name: _filled(it, known) for name, it in value.items()}
    return [_filled(it, known) for it in value] if isinstance(value, list) else value


def _named(answer: Any) -> Iterator[tuple[str, Any]]:
    """Each scalar by its name: those further out come first, and the first of a list."""
    if isinstance(answer, dict):
        inner = list[Any]()
        for name, value in answer.items():
            if isinstance(value, dict | list):
                inner.append(value)
                if isinstance(value, list) and value and isinstance(value[0], str):
                    yield name, value[0]
            elif name != "ResponseMetadata":
                yield name, value
        for value in inner:
            yield from _named(value)
    elif isinstance(answer, list) and answer:
        yield from _named(answer[0])
