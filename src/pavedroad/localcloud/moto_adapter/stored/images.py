# pyright: basic, reportAttributeAccessIssue=false, reportReturnType=false
"""The parameters that AWS publishes, as Systems Manager answers them: images that are here, regions.

moto puts them among the caller's own once they have been asked for, where they are listed and saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from moto.ssm.models import Parameter, ParameterDict
from moto.ssm.utils import convert_to_params
from moto.utilities.utils import load_resource

from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_stock import stock_of
from pavedroad.localcloud.moto_adapter.regions import known_of

_PUBLIC = "/aws/service/"
_TREES = {
    f"{_PUBLIC}global-infrastructure/regions": "regions.json",
    f"{_PUBLIC}global-infrastructure/services": "services.json",
}
_SINCE = datetime(2026, 9, 1, tzinfo=UTC)
_own = ParameterDict.__getitem__, ParameterDict.get_keys_beginning_with


def install() -> None:
    ParameterDict._check_loading_status = lambda _self, _key: None
    ParameterDict.__contains__ = _contains
    ParameterDict.__iter__ = _there
    ParameterDict.__getitem__ = _get
    ParameterDict.get_keys_beginning_with = _below


def _contains(self: ParameterDict, name: str) -> bool:
    if str(name or "").startswith(_PUBLIC):
        return name in _public(self, name)
    return bool(self.get(name))


def _there(self: ParameterDict) -> Iterator[str]:
    """Not those without a version: moto keeps a name as soon as it has looked for it."""
    return (name for name, versions in self.items() if versions)


def _get(self: ParameterDict, name: str) -> list[Parameter]:
    if name.startswith(_PUBLIC):
        value = _public(self, name)[name]
        return [_parameter(self.account_id, name, value)]
    return _own[0](self, name)


def _below(self: ParameterDict, path: str, recursive: bool) -> Iterator[str]:
    if not f"{path}/".startswith(_PUBLIC):
        yield from _own[1](self, path, recursive)
        return
    prefix = f"{path.rstrip('/')}/"
    for name in _public(self, path):
        if name.startswith(prefix) and (recursive or "/" not in name[len(prefix) :]):
            yield name


def _public(self: ParameterDict, name: str) -> dict[str, str]:
    """Those of the kind that is asked for; of images, those that are there."""
    for path, file in _TREES.items():
        if name.startswith(path):
            return _tree(file)
    there = ec2_backend.backend(self.account_id, self.region_name)
    there.stock()
    return {known: value for known, value in _images(self.region_name).items() if value in there.amis}


@cache
def _images(region: str) -> dict[str, str]:
    amazon = known_of("ssm/resources/ami-amazon-linux-latest", region)
    stock = {name: it.id for it in stock_of(region) for name in it.parameters}
    return {it["Name"]: it["Value"] for it in amazon} | stock


@cache
def _tree(file: str) -> dict[str, str]:
    known = convert_to_params(load_resource(f"ssm/resources/{file}"))
    return {it["Name"]: it["Value"] for it in known}


def _parameter(account: str, name: str, value: str) -> Parameter:
    return Parameter(
        account_id=account,
        name=name,
        value=value,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=_SINCE.timestamp(),  # pyright: ignore[reportArgumentType]
        version=1,
        data_type="aws:ec2:image" if value.startswith("ami-") else "text",
    )
