"""A cloud that can be broken on purpose, as the private cloud can: start faults, see which last, end them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote

import httpx

from pavedroad.clouds.signing import Signed
from pavedroad.core.cloud_key import CloudKey
from pavedroad.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PavedError,
    Unauthenticated,
    Unavailable,
)

_KINDS: tuple[type[PavedError], ...] = (
    *(InvalidInput, Unauthenticated, Forbidden, NotFound, Conflict),
    Unavailable,
)
_START = "Start it with `paved up`, or alone with `paved cloud up`."


class FaultClient:
    """`endpoint` is the private cloud's, `key` its own or another that it knows; without one, that of the
    environment, as `paved cloud env` sets it. Every failure is a `PavedError` with a sentence."""

    def __init__(
        self,
        endpoint: str,
        *,
        key: CloudKey | None = None,
        path: str = "/_pavedroad/faults",
        token: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._path = path
        self._http = httpx.Client(
            base_url=endpoint,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            auth=None if token else Signed(key or _key_of_environment()),
            timeout=30,
            trust_env=False,
            transport=transport,
        )

    @classmethod
    def of_platform(cls, url: str, token: str) -> FaultClient:
        """By way of the platform, which authorises and audits."""
        return cls(url, path="/v1/faults", token=token)

    def __enter__(self) -> FaultClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def all(self) -> list[dict[str, Any]]:
        """Those that last, oldest first, then those that have ended, latest first."""
        return self.document()["faults"]

    def document(self) -> dict[str, Any]:
        """`faults`, and under `kinds` what can fail: `name`, `target` (a zone, say) and `parameters`."""
        return self._call("GET", "")

    def get(self, fault_id: str) -> dict[str, Any]:
        return self._call("GET", _segment(fault_id))

    def start(
        self, kind: str, target: str, *, seconds: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        return self.start_fault(kind, target, parameters, seconds)

    def start_fault(
        self, kind: str, target: str, parameters: Mapping[str, Any], seconds: float | None = None
    ) -> dict[str, Any]:
        """As `start`, for parameters of any name."""
        asked: dict[str, Any] = {"kind": kind, "target": target, "parameters": dict(parameters)}
        if seconds is not None:
            asked["seconds"] = seconds
        return self._call("POST", "", asked)

    def end(self, fault_id: str) -> dict[str, Any]:
        """Ended already is fine."""
        return self._call("DELETE", _segment(fault_id))

    def end_all(self) -> list[dict[str, Any]]:
        """Gives those that lasted until now."""
        return self._call("DELETE", "")["faults"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, f"{self._path}{path}", json=body)
        except httpx.HTTPError as error:
            raise Unavailable(f"The private cloud does not answer: {error}.", next_step=_START) from error
        if answer.is_success:
            return answer.json()
        raise _refusal(answer)


def _key_of_environment() -> CloudKey:
    said = os.environ
    return CloudKey(said.get("AWS_ACCESS_KEY_ID", ""), said.get("AWS_SECRET_ACCESS_KEY", ""))


def _segment(fault_id: str) -> str:
    return f"/{quote(fault_id, safe='')}"


def _refusal(answer: httpx.Response) -> PavedError:
    try:
        problem = cast("dict[str, Any]", answer.json())
        kind = next((it for it in _KINDS if it.code == problem["code"]), PavedError)
        return kind(problem["detail"], next_step=problem.get("next_step"))
    except (ValueError, KeyError, TypeError):
        return PavedError(f"{answer.request.url} answered {answer.status_code} without saying why.")
