# pyright: basic
"""Instance types: what each is, and DescribeInstanceTypes, of which moto takes seconds to write all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from moto.core.utils import get_service_model
from moto.ec2.models.instance_types import INSTANCE_TYPES

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_answers import answer_xml
from pavedroad.localcloud.moto_adapter.ec2_listings import LISTINGS
from pavedroad.localcloud.moto_adapter.ec2_pages import page
from pavedroad.localcloud.moto_adapter.ec2_select import checked_filters, passes
from pavedroad.localcloud.moto_adapter.result_xml import Writer, member_writer

_ACTION = "DescribeInstanceTypes"


def type_of(name: str) -> Mapping[str, Any]:
    """EC2's description of a type that it offers."""
    found = INSTANCE_TYPES.get(name)
    if found is None:
        raise ServiceError("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
    return found


def vcpus(name: str) -> int:
    return type_of(name)["VCpuInfo"]["DefaultVCpus"]


def architectures(name: str) -> list[str]:
    return type_of(name)["ProcessorInfo"]["SupportedArchitectures"]


def describe_instance_types(form: Mapping[str, str], request_id: str) -> str:
    filters = checked_filters(_ACTION, form)
    names = [value for name, value in form.items() if name.startswith("InstanceType.")]
    if names and form.keys() & {"MaxResults"}:
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameter instanceTypesSet cannot be used with the parameter maxResults",
        )
    if missing := [name for name in names if name not in INSTANCE_TYPES]:
        raise ServiceError(
            "InvalidInstanceType",
            f"The following supplied instance types do not exist: [{', '.join(missing)}]",
        )
    listing = LISTINGS[_ACTION]
    asked = names or list(INSTANCE_TYPES)
    found = [name for name in asked if passes(_ACTION, listing, filters, INSTANCE_TYPES[name])]
    given, token = page(_ACTION, form, found, lambda name: (name,))
    write = _writer()
    items = "".join(write(INSTANCE_TYPES[name]) for name in given)
    more = f"<nextToken>{escape(token)}</nextToken>" if token else ""
    return answer_xml(_ACTION, request_id, f"<instanceTypeSet>{items}</instanceTypeSet>{more}")


@cache
def _writer() -> Writer:
    output: Any = get_service_model("ec2").operation_model(_ACTION).output_shape
    return member_writer(output.members["InstanceTypes"].member, "item")


def memory_mebibytes(name: str) -> int:
    return type_of(name)["MemoryInfo"]["SizeInMiB"]


def check_cpu_options(name: str, options: Mapping[str, Any] | None) -> None:
    if not options:
        return
    said = type_of(name)["VCpuInfo"]
    cores, threads = options.get("CoreCount"), options.get("ThreadsPerCore")
    if cores and int(cores) not in (said.get("ValidCores") or [said.get("DefaultCores")]):
        raise ServiceError("InvalidParameterValue", f"The core count {cores} is not valid for {name}.")
    if threads and int(threads) not in (
        said.get("ValidThreadsPerCore") or [said.get("DefaultThreadsPerCore")]
    ):
        raise ServiceError(
            "InvalidParameterValue", f"The number of threads per core, {threads}, is not valid for {name}."
        )


@cache
def default_processors(name: str) -> tuple[int, int]:
    """Cores, and threads a core."""
    said = INSTANCE_TYPES.get(name, {}).get("VCpuInfo", {})
    return said.get("DefaultCores", 1), said.get("DefaultThreadsPerCore", 1)
