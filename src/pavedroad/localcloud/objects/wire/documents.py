"""Documents of the model, read without a request."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from pavedroad.localcloud.objects.wire.readers import reader
from pavedroad.localcloud.objects.wire.tree import parsed


def read_document(shape: str, document: bytes) -> Any:
    """By the name that the model has for its shape. Refuses what is not well-formed."""
    return reader(_model().shape_for(shape))(parsed(document))


@cache
def _model() -> ServiceModel:
    description: Any = Loader().load_service_model("s3", "service-2")
    return ServiceModel(description, "s3")
