# pyright: basic, reportAttributeAccessIssue=false
"""IAM deletes nothing that is in use: moto deletes attached policies, users with keys and full groups."""

from __future__ import annotations

from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend

_moto_policy, _moto_user, _moto_group = (
    IAMBackend.delete_policy,
    IAMBackend.delete_user,
    IAMBackend.delete_group,
)


def install() -> None:
    IAMBackend.delete_policy = _delete_policy
    IAMBackend.delete_user = _delete_user
    IAMBackend.delete_group = _delete_group


def _delete_policy(self: IAMBackend, policy_arn: str) -> None:
    policy = self.get_policy(policy_arn)
    if policy.attachment_count > 0:
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy."
        )
    _moto_policy(self, policy_arn)


def _delete_user(self: IAMBackend, user_name: str) -> None:
    user = self.get_user(user_name)
    _refuse_while(bool(user.access_keys), "delete access keys")
    _refuse_while(bool(user.password), "delete login profile")
    _refuse_while(bool(user.mfa_devices), "delete MFA device")
    _refuse_while(any(user in group.users for group in self.groups.values()), "remove users from group")
    _moto_user(self, user_name)


def _delete_group(self: IAMBackend, group_name: str) -> None:
    group = self.groups.get(group_name)
    if group is not None:
        _refuse_while(bool(group.users), "remove users from group")
        _refuse_while(bool(group.managed_policies), "detach all policies")
        _refuse_while(bool(group.policies), "delete policies")
    _moto_group(self, group_name)


def _refuse_while(held: bool, what: str) -> None:
    if held:
        raise DeleteConflictException(f"Cannot delete entity, must {what} first.")
