"""What a health check's answer tells: that an instance boots still, or that waiting will not make it well.

A status is an answer of a program that is up, but for those by which programs and proxies say that they are
not ready. A refused connection is none, unless the health check is well at another port, or the port is open
to the instance alone: who boots may open other ports first, such as that of its metrics. Where nothing
answers in time, nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pavedroad.clouds.model import HealthCheck, TargetGroup, TargetHealth

ENOUGH_CHECKS = 5
"""That answer alike before the last word is said."""

_FIRST = re.compile(r"^Initial health checks in progress; the last one: ")
_CODES = re.compile(r"^Health checks failed with these codes: \[(?P<code>\d{3})")
_ELSEWHERE = re.compile(
    r"connection refused; the instance (?P<where>listens on .+?)(?P<well> and is well there)?$"
)
_ALONE = " of 127.0.0.1 alone"
_NOT_HTTP = re.compile(r"the answer is not HTTP")
_NOT_READY = frozenset({425, 429, 502, 503, 504})
_ANSWERING = frozenset({"initial", "unhealthy"})
_ASKS_WHO = frozenset({401, 403, 407})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an instance answers, for good: `told` is a clause, and `advice` one on what to look at."""

    told: str
    advice: str


def final(reason: str, port: int) -> Answer | None:
    """The answer in the cloud's reason, where it is one that waiting does not change."""
    reason = _FIRST.sub("", reason.strip()).rstrip(".")
    if found := _CODES.match(reason):
        code = int(found["code"])
        return None if code in _NOT_READY else Answer(f"answered {code}", _advice(code))
    if found := _ELSEWHERE.search(reason):
        where, way = found["where"], f"let it use $PORT, which is {port}, or say its port in paved.yaml"
        if where == f"listens on port {port}{_ALONE}":
            way = "let it listen at $HOST or 0.0.0.0"
        elif not found["well"]:
            return None
        elif where.endswith(_ALONE):
            way = f"let it listen at $HOST or 0.0.0.0, and use $PORT, which is {port}"
        return Answer("refused the connection", f"the service {where}: {way}")
    if _NOT_HTTP.search(reason):
        return Answer("did not answer in HTTP", "the health check speaks plain HTTP")
    return None


def _advice(code: int) -> str:
    if code == 404:
        return "health.path in paved.yaml is to be one that it has"
    if code in _ASKS_WHO:
        return "a health check does not sign in, so health.path in paved.yaml is to be one that is open"
    if code >= 500:
        return "it is up and fails, and its last lines may say why"
    return "health.path and health.matcher in paved.yaml say what is asked and what is well"


class Repeated:
    """Watches for all of a group's instances that are not healthy to give their last word."""

    def __init__(self) -> None:
        self.first: tuple[str, Answer] | None = None
        """The first instance that gave one, and what it was."""
        self._alike: tuple[int, dict[str, str]] = (0, {})
        self._since = 0.0
        self._answers: dict[str, Answer] = {}

    def look(
        self, health: Mapping[str, TargetHealth], members: Sequence[str], group: TargetGroup, now: float
    ) -> float | None:
        """For how many seconds it has been so; None where anything may change by itself yet."""
        healthy = [name for name in members if name in health and health[name].state == "healthy"]
        answers: dict[str, Answer] = {}
        for name in members:
            target = health.get(name)
            answer = final(target.reason, group.port) if target and target.state in _ANSWERING else None
            if answer is not None:
                answers[name] = answer
        if answers and self.first is None:
            self.first = next(iter(answers.items()))
        if not members or len(answers) + len(healthy) < len(members):
            self._alike = (0, {})
            return None
        alike = (len(healthy), {name: str(answer) for name, answer in answers.items()})
        if alike != self._alike:
            self._alike, self._since = alike, now
        self._answers = answers
        return now - self._since

    @property
    def answers(self) -> Mapping[str, Answer]:
        """By instance, when last looked."""
        return self._answers


def patience(check: HealthCheck) -> float:
    """Seconds for which answers have to be alike."""
    return (ENOUGH_CHECKS - 1) * check.interval_seconds + check.timeout_seconds


def asked(group: TargetGroup, address: str) -> str:
    """What the health check asks."""
    return f"{address}:{group.port}{group.health_check.path}"


def last_word(group: TargetGroup, addresses: Mapping[str, str], answers: Mapping[str, Answer]) -> str:
    """The verdict, by the first instance that answered; the others are counted."""
    name, answer = next(iter(answers.items()))
    alike = sum(1 for other in answers.values() if other.told == answer.told) - 1
    rest = len(answers) - 1 - alike
    others = f", as did {alike} other{'s' if alike > 1 else ''}" if alike else ""
    unlike = f"; {rest} more answered otherwise" if rest else ""
    where = asked(group, addresses.get(name) or name)
    return f"{where} {answer.told}, {ENOUGH_CHECKS} times{others}{unlike}; {answer.advice}"
