# pyright: basic
"""Which operations of a service moto has a method for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model


def operations(service: str) -> list[str]:
    """All that botocore's model of the service names (by boto's name), sorted."""
    return sorted(get_service_model(service).operation_names)


def carried(moto: str, boto: str) -> frozenset[str]:
    """Those of a service, by moto's name and by boto's, that moto does."""
    classes = [
        kind
        for kind in vars(importlib.import_module(f"moto.{moto}.urls")).values()
        if isinstance(kind, type) and issubclass(kind, BaseResponse)
    ]
    return carried_by(classes, boto)


def carried_by(classes: Iterable[type], boto: str) -> frozenset[str]:
    """Those that response classes do."""
    return frozenset(
        name
        for name in operations(boto)
        if any(_does(getattr(kind, camelcase_to_underscores(name), None)) for kind in classes)
    )


def _does(method: Any) -> bool:
    """Whether there is more to it than moto's saying that it is not there yet."""
    code = getattr(method, "__code__", None)
    constants = code.co_consts if code else ()
    missing = any(isinstance(it, str) and it.endswith("is not yet implemented") for it in constants)
    return method is not None and not missing
