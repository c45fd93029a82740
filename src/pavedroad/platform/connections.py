"""The API's connections: what is no HTTP is refused as a problem, as all else is."""

from __future__ import annotations

from pavedroad.core.connections import HEAD_BYTES, HEAD_SECONDS, BoundedConnection, Refused
from pavedroad.core.errors import HeadTooLarge, InvalidInput, PavedError, TooSlow
from pavedroad.platform.problems import MEDIA_TYPE, problem_response

_REFUSALS: dict[Refused, PavedError] = {
    "no-http": InvalidInput(
        "This is not HTTP as this API speaks it.", next_step="Speak HTTP/1.1, without TLS."
    ),
    "head-too-slow": TooSlow(
        f"The request's headers were not there within {HEAD_SECONDS:.0f} s.", next_step="Send it again."
    ),
    "head-too-large": HeadTooLarge(
        f"The request's headers are over the limit of {HEAD_BYTES // 1024} KiB.", next_step="Send fewer."
    ),
}


class Connection(BoundedConnection):
    """With limits, and in our words."""

    def refusal(self, why: Refused) -> tuple[int, str, bytes]:
        answer = problem_response(_REFUSALS[why])
        return answer.status_code, MEDIA_TYPE, bytes(answer.body)
