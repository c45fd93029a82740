"""Refusals of what is this cloud's own, and no AWS service: RFC 9457."""

from __future__ import annotations

import json
from http import HTTPStatus

from pavedroad.core.errors import PavedError
from pavedroad.localcloud.api.services import ApiResponse


def problem(error: PavedError) -> ApiResponse:
    document = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.sentence,
        **({"next_step": error.next_step} if error.next_step else {}),
    }
    return ApiResponse(
        error.status, (("content-type", "application/problem+json"),), json.dumps(document).encode()
    )
