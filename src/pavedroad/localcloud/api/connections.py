"""The endpoint's connections: what is no HTTP is refused in XML, as S3 does."""

from __future__ import annotations

from typing import Any, cast

from pavedroad.core.connections import BoundedConnection, Refused

CLIENT_ENDED = "pavedroad.client_ended"
"""In the scope of a request whose client has closed its side of the connection, and may still listen."""

_SAID: dict[Refused, tuple[str, str]] = {
    "no-http": ("BadRequest", "An error occurred when parsing the HTTP request."),
    "head-too-slow": (
        "RequestTimeout",
        "Your socket connection to the server was not read from in time.",
    ),
    "head-too-large": (
        "RequestHeaderSectionTooLarge",
        "Your request header section exceeds the maximum allowed request header section size.",
    ),
}


class Connection(BoundedConnection):
    """With limits, and in AWS's words."""

    def refusal(self, why: Refused) -> tuple[int, str, bytes]:
        code, message = _SAID[why]
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return 400, "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()

    def eof_received(self) -> bool | None:
        listens = super().eof_received()
        if listens:
            # Most who end here have hung up, so that nothing is worth waiting for on their behalf.
            cast("dict[str, Any]", self.cycle.scope)[CLIENT_ENDED] = True
            self.cycle.message_event.set()
        return listens
