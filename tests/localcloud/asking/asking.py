"""Every operation asked so that it is answered: parameters made from botocore's models, with what earlier
answers have told of, and with what `preconditions` knows that models do not say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pavedroad.localcloud.api.calls import reads
from tests.localcloud.asking.operations import OPERATIONS
from tests.localcloud.asking.preconditions import NAMES
from tests.localcloud.moto_adapter.generated import model_of, parameters

Json = dict[str, Any]
Call = Callable[[str, str, Json], Json]
"""A service by boto's name, an operation and its parameters; raises as boto3 does."""

READS, MAKES, CHANGES, UNDOES = range(4)
_ROUNDS = 2
_TELLING = ("id", "arn", "name", "url", "key", "handle", "number", "token", "label", "ip")
_UNDOING = (
    *("Abort", "Cancel", "Deactivate", "Delete", "Deprovision", "Deregister", "Detach", "Disable"),
    *("Disassociate", "Reject", "Release", "Remove", "Revoke", "Terminate", "Unsubscribe", "Untag"),
)
_MAKING = (
    "Add",
    "Allocate",
    "Attach",
    "Create",
    "Enable",
    "Import",
    "Put",
    "Register",
    "Request",
    "Run",
    "Upload",
)


def order(operation: str) -> tuple[int, bool, str]:
    """What is to be asked first comes first."""
    return turn(operation), operation.startswith(("Abort", "Delete", "Terminate")), operation


def turn(operation: str) -> int:
    """What reads comes first, then what makes, what changes, and what undoes."""
    if reads(operation):
        return READS
    if operation.startswith(_UNDOING):
        return UNDOES
    return MAKES if operation.startswith(_MAKING) else CHANGES


class There(Mapping[str, Any]):
    """What parameters are given by their names: what was told of last, or first, by the service itself or by
    any other."""

    def __init__(self, fixed: Json, told: list[dict[str, list[Any]]], *, newest: bool) -> None:
        self._fixed, self._told, self._newest = fixed, told, newest

    def every(self, name: str) -> list[Any]:
        return next((told[name] for told in self._told if name in told), [])

    def __getitem__(self, name: str) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        if values := self.every(name):
            return values[-1 if self._newest else 0]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in self._fixed or bool(self.every(str(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._fixed)

    def __len__(self) -> int:
        return 1


class Asking:
    """Of one cloud; it learns by every answer."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._told: dict[str, dict[str, list[Any]]] = {}
        self.refusals: dict[tuple[str, str], dict[str, Json]] = {}
        """Of operations that were not answered: why, and with which parameters."""
        self.answered: dict[tuple[str, str], Json] = {}
        """With which parameters."""

    def ask(self, service: str, operation: str) -> Json | None:
        """The answer; None where it was refused whatever it was asked with."""
        refusals = self.refusals.setdefault((service, operation), {})
        for made in self._ways(service, operation):
            try:
                answer = self._call(service, operation, made)
            except (ClientError, BotoCoreError, ValueError, AttributeError, TypeError) as error:
                refusals[str(error)] = made
                continue
            self.learn(service, answer)
            self.refusals.pop((service, operation))
            self.answered[service, operation] = made
            return answer
        return None

    def ask_all(self, operations: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of services and operations, in an order in which they are answered; gives those that are not."""
        left: set[tuple[str, str]] = set()
        ordered = sorted(operations, key=lambda it: (order(it[1]), it[0]))
        for late in (False, True):
            asked = [it for it in ordered if (turn(it[1]) == UNDOES) == late]
            for _ in range(_ROUNDS):
                asked = [it for it in asked if self.ask(*it) is None]
            left.update(asked)
        return left

    def learn(self, service: str, answer: Json) -> None:
        self._learn(self._told.setdefault(service, {}), answer, "", "")

    def _ways(self, service: str, operation: str) -> Iterator[Json]:
        shape: Any = model_of(service).operation_model(operation).input_shape
        if shape is None:
            yield {}
            return
        given = OPERATIONS.get(service, {}).get(operation)
        late = turn(operation) == UNDOES
        for newest in (late, not late):
            told = [self._told.get(service, {}), *self._told.values()]
            there = There(self._known(service, operation), told, newest=newest)
            least = parameters(shape, known=there)
            if given is not None:
                with suppress(LookupError):
                    yield least | (given(there) if callable(given) else given)
                continue
            if turn(operation) == MAKES:
                yield {**least, **{it: f"{operation}-made" for it in least if it.endswith("Name")}}
            yield least
            fitting = {
                name: there[name]
                for name, member in shape.members.items()
                if name in there and member.type_name == "string" and "Token" not in name
            }
            if fitting.keys() - least.keys():
                yield least | fitting
            yield parameters(shape, known=there, everything=True)

    def _known(self, service: str, operation: str) -> Json:
        """An `Id` is of the operation's own kind."""
        known = dict(NAMES.get(service, {}))
        kind = _one_of(operation[1:].lstrip("abcdefghijklmnopqrstuvwxyz"))
        for name in ("Id", "Arn", "Name"):
            if values := self._told.get(service, {}).get(f"{kind}{name}"):
                known.setdefault(name, values[0])
        return known

    def _learn(self, told: dict[str, list[Any]], value: Any, name: str, above: str) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                if key != "ResponseMetadata":
                    self._learn(told, below, key, name)
        elif isinstance(value, list):
            for below in value:
                self._learn(told, below, _one_of(name), above)
        elif isinstance(value, str) and value and name.lower().endswith(_TELLING):
            value = value.removeprefix(f"/{above.lower()}/")
            whole = f"{above}{name}" if name in ("Arn", "Id", "Name") else name
            values = told.setdefault(whole, [])
            if value not in values:
                values.append(value)


def _one_of(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
