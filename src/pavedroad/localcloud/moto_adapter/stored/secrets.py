# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""What a secret is at present: moto tells the one put last, whichever a rotation has made the current one."""

from __future__ import annotations

from moto.secretsmanager.models import SecretsManagerBackend

_CURRENT = "AWSCURRENT"

_moto_value = SecretsManagerBackend.get_secret_value


def install() -> None:
    SecretsManagerBackend.get_secret_value = _value


def _value(self: SecretsManagerBackend, secret_id: str, version_id: str | None, version_stage: str | None):
    if not version_id and not version_stage and self._is_valid_identifier(secret_id):
        versions = self.secrets[secret_id].versions.values()
        if any(_CURRENT in version["version_stages"] for version in versions):
            version_stage = _CURRENT
    return _moto_value(self, secret_id, version_id, version_stage)
