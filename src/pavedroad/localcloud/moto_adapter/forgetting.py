# pyright: basic, reportAttributeAccessIssue=false
"""What moto would keep for ever, and AWS forgets: sessions and tokens, messages sent, changes of records, and
what is deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

from moto.acm.models import acm_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.route53.models import route53_backends
from moto.sns.models import sns_backends
from moto.sts.models import sts_backends

from pavedroad.localcloud.moto_adapter.ec2_forgetting import forget_deleted

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
    for _, _, backend in ec2_backends.iter_backends():
        forget_deleted(backend)
    for _, _, backend in route53_backends.iter_backends():
        for zone in backend.zones.values():
            zone.rr_changes[:] = _last_of_each(zone.rr_changes)


def _last_of_each(changes: list[dict]) -> list[dict]:
    """moto asks the record sets' changes whether there is what should be made, or be deleted: of those that
    are there, the last of each kind."""
    last, kinds = {}, {}
    for change in changes:
        records = change["ResourceRecordSet"]
        name = records["Name"], records["Type"], records.get("SetIdentifier")
        kinds[change["Action"], name] = change
        last[name] = change["Action"]
    return [change for (_, name), change in kinds.items() if last[name] != "DELETE"]


def _forget_sessions(account: str, partition: str, backend, oldest: datetime) -> None:
    gone = [session for session in backend.assumed_roles if session.expiration < oldest]
    if not gone:
        return
    keys = iam_backends[account][partition].access_keys
    for session in gone:
        keys.pop(session.access_key_id, None)
    backend.assumed_roles[:] = [it for it in backend.assumed_roles if it.expiration >= oldest]
