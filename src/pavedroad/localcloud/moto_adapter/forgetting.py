# pyright: basic, reportAttributeAccessIssue=false
"""What moto would keep for ever, and AWS forgets: sessions and tokens, messages sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

from moto.acm.models import acm_backends
from moto.iam.models import iam_backends
from moto.sns.models import sns_backends
from moto.sts.models import sts_backends

_SESSIONS_KEPT = timedelta(hours=1)
"""After they have expired, so that whoever still signs with one is told so."""
_MOST_SENT = 1000


def forget(now: datetime) -> None:
    """With the state lock held."""
    at = now.astimezone(UTC).replace(tzinfo=None)  # moto's times have no zone
    for account, partition, backend in sts_backends.iter_backends():
        _forget_sessions(account, partition, backend, at - _SESSIONS_KEPT)
    for _, _, backend in acm_backends.iter_backends():
        tokens = backend._idempotency_tokens
        for token in [token for token, known in tokens.items() if known["expires"] < at]:
            del tokens[token]
    for _, _, backend in sns_backends.iter_backends():
        for sent in (backend.sms_messages, backend.sms_message_objects):
            for message_id in list(islice(sent, max(0, len(sent) - _MOST_SENT))):
                del sent[message_id]


def _forget_sessions(account: str, partition: str, backend, oldest: datetime) -> None:
    gone = [session for session in backend.assumed_roles if session.expiration < oldest]
    if not gone:
        return
    keys = iam_backends[account][partition].access_keys
    for session in gone:
        keys.pop(session.access_key_id, None)
    backend.assumed_roles[:] = [it for it in backend.assumed_roles if it.expiration >= oldest]
