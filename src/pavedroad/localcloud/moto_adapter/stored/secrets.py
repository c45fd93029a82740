# pyright: basic, reportAttributeAccessIssue=false
"""What a secret is at present: moto tells the one put last, whichever a rotation has made the current one."""

from __future__ import annotations

from moto.secretsmanager.models import SecretsManagerBackend

_moto_move = SecretsManagerBackend.update_secret_version_stage


def install() -> None:
    SecretsManagerBackend.update_secret_version_stage = _move


def _move(
    self: SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str,
    move_to_version_id: str,
):
    said = _moto_move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].default_version_id = move_to_version_id
    return said
