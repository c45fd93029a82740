# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
# pyright: reportPrivateImportUsage=false, reportIndexIssue=false, reportGeneralTypeIssues=false
"""Keys that this cloud has given out: of IAM's users, and for a time, of STS.

moto draws their secrets from a generator whose next values can be told from its last, and gives every
session of `GetSessionToken` and `GetFederationToken` the same; `install` puts others in their places.
"""

from __future__ import annotations

import secrets
import string
from datetime import UTC
from weakref import WeakValueDictionary

from moto.core.responses import ActionResult
from moto.iam import models as iam_models
from moto.iam.models import iam_backends
from moto.sts import models as sts_models
from moto.sts.models import AssumedRole, STSBackend, sts_backends
from moto.sts.responses import TokenResponse

from pavedroad.localcloud.api.signatures.keys import Credentials
from pavedroad.localcloud.moto_adapter import ec2_backend

_PARTITION = "aws"
_LETTERS = string.ascii_letters + string.digits
_moto_session = TokenResponse.get_session_token
_moto_federation = TokenResponse.get_federation_token
_found: WeakValueDictionary[str, AssumedRole] = WeakValueDictionary()


def install() -> None:
    iam_models.random_alphanumeric = _letters
    sts_models.random_session_token = lambda: secrets.token_urlsafe(256)
    TokenResponse.get_session_token = _session
    TokenResponse.get_federation_token = _federation
    STSBackend.get_caller_identity = _caller


def user_keys(access_key_id: str) -> Credentials | None:
    """Of IAM's users, while they are active."""
    backend = iam_backends[ec2_backend.ACCOUNT][_PARTITION]
    key = backend.access_keys.get(access_key_id)
    if key is None or key.status != "Active":
        return None
    if not any(key in user.access_keys for user in list(backend.users.values())):
        return None
    return Credentials(access_key_id, key.secret_access_key)


def session_keys(access_key_id: str) -> Credentials | None:
    """Of STS, also those that instances have of their roles, which end with their instance."""
    session = _session_of(access_key_id)
    if session is None or _is_of_the_dead(session):
        return None
    expires = session.expiration.replace(tzinfo=UTC)
    return Credentials(access_key_id, session.secret_access_key, session.session_token, expires)


def _session_of(access_key_id: str) -> AssumedRole | None:
    if (known := _found.get(access_key_id)) is not None:
        return known
    for account in list(sts_backends.values()):
        for backend in list(account.values()):
            for session in list(backend.assumed_roles):
                if session.access_key_id == access_key_id:
                    _found[access_key_id] = session
                    return session
    return None


def _is_of_the_dead(session: AssumedRole) -> bool:
    instance_id = getattr(session, "instance_id", None)
    if instance_id is None:
        return False
    one = ec2_backend.backend(ec2_backend.ACCOUNT, session.region_name).by_id.get(instance_id)
    return one is None or one.state == "terminated"


def _letters(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _session(self: TokenResponse) -> ActionResult:
    _, arn, _ = self.backend.get_caller_identity(self.get_access_key(), self.region)
    return _with_credentials(self, _moto_session(self), arn, "session")


def _federation(self: TokenResponse) -> ActionResult:
    result = _moto_federation(self)
    user = result.result["FederatedUser"]
    return _with_credentials(self, result, user["Arn"], user["FederatedUserId"].rpartition(":")[2])


def _with_credentials(self: TokenResponse, result: ActionResult, arn: str, name: str) -> ActionResult:
    key = iam_backends[self.current_account][self.partition].create_temp_access_key()
    duration = self._get_int_param("DurationSeconds", 43200)
    session = AssumedRole(self.current_account, self.region, key, name, arn, "", duration, "")
    self.backend.assumed_roles.append(session)
    return ActionResult({**result.result, "Credentials": session})


def _caller(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
    """Whose the key is; what is nobody's, as the home's own, is the account's."""
    session = self.get_assumed_role_from_access_key(access_key_id)
    if session is not None and ":role/" in session.role_arn:
        return session.user_id, session.arn, session.account_id
    if session is not None:
        return session.role_arn.rpartition(":")[2], session.role_arn, session.account_id
    user = iam_backends[self.account_id][self.partition].get_user_from_access_key_id(access_key_id)
    if user is not None:
        return user.id, user.arn, user.account_id
    return self.account_id, f"arn:{self.partition}:iam::{self.account_id}:root", self.account_id
