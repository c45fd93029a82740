"""The gate: who a token speaks for, and what they may do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pavedroad.access.audit import Audit
from pavedroad.access.model import ALLOWED, Principal
from pavedroad.access.tokens import Tokens
from pavedroad.core.errors import Forbidden, Unauthenticated

_HOW = "Send the header 'Authorization: Bearer <token>' with the token that `paved up` keeps."


class Access:
    """Authenticates and authorises; `tokens` and `audit` are its two books."""

    def __init__(self, tokens: Tokens, audit: Audit) -> None:
        self.tokens = tokens
        self.audit = audit

    async def authenticate(self, token: str | None) -> Principal:
        if not token:
            raise Unauthenticated("This needs a token, and there was none.", next_step=_HOW)
        found = await self.tokens.find(token)
        if found is None:
            raise Unauthenticated("The token is wrong, expired or revoked.", next_step=_HOW)
        return Principal(found.name, frozenset(found.roles))

    def authorise(self, principal: Principal, action: str) -> None:
        """Nothing, or Forbidden."""
        allowed = ALLOWED.get(action, frozenset())
        if not principal.roles & allowed:
            needed = " or ".join(sorted(allowed)) or "none that exists"
            raise Forbidden(
                f"{principal.name} may not {action.replace('-', ' ')}: that takes the role {needed}.",
                next_step="Ask an administrator for a token with that role.",
            )

    @asynccontextmanager
    async def acting(
        self, principal: Principal, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[dict[str, Any]]:
        """The body runs if the principal may; however it ends, the audit log says so."""
        async with self.audit.watch(principal, action, subject, detail) as told:
            self.authorise(principal, action)
            yield told
