# pyright: basic
"""What is looked at before a call of EC2 changes anything: moto looks at little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pavedroad.localcloud.moto_adapter import ec2_addressing, ec2_attaching, ec2_group_rules, ec2_routing
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_held import refuse_to_delete

Check = Callable[[LocalEC2Backend, dict[str, Any]], None]

_CHECKS: dict[str, Check] = {
    **ec2_attaching.CHECKS,
    **ec2_addressing.CHECKS,
    **ec2_routing.CHECKS,
    **ec2_group_rules.CHECKS,
}


def check_first(action: str, backend: LocalEC2Backend, asked: dict[str, Any]) -> None:
    """Refuse what cannot be. `asked` has the model's names; what is given in another form than it is kept in,
    or left out where there is but one, is put right in it."""
    refuse_to_delete(action, backend, asked)
    if check := _CHECKS.get(action):
        check(backend, asked)
