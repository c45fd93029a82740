# pyright: basic, reportAttributeAccessIssue=false
"""Updates of IAM that leave what they do not name: moto sets it to nothing, or to its default."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

_moto_update_group = IAMBackend.update_group


def install() -> None:
    IamResponse.update_role = update_role
    IamResponse.update_login_profile = update_login_profile
    IAMBackend.update_group = _update_group


def update_role(call: IamResponse) -> ActionResult:
    role = call.backend.get_role(call._get_param("RoleName"))
    if (description := call._get_param("Description")) is not None:
        role.description = description
    if (seconds := call._get_param("MaxSessionDuration")) is not None:
        role.max_session_duration = seconds
    return EmptyResult()


def update_login_profile(call: IamResponse) -> ActionResult:
    name = call._get_param("UserName")
    user = call.backend.get_user(name)
    password, reset = call._get_param("Password"), call._get_param("PasswordResetRequired")
    call.backend.update_login_profile(
        name,
        (user.password or "") if password is None else password,
        user.password_reset_required if reset is None else reset,
    )
    return EmptyResult()


def _update_group(backend: IAMBackend, name: str, new_name: str | None, new_path: str | None) -> None:
    group = backend.get_group(name)
    if new_name and new_name != name:
        _moto_update_group(backend, name, new_name, None)
    if new_path:
        group.path = new_path
