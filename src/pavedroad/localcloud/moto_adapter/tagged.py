# pyright: basic
"""Tags of all that moto keeps, for the tagging API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from moto.core.resource_tagging import TaggableResourcesMixin, iter_taggable_backends
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.responses import as_service_error
from pavedroad.localcloud.state import State
from pavedroad.localcloud.tagging.model import Tagged

_OURS = ("autoscaling", "cloudwatch", "ec2", "elasticloadbalancing", "s3", "sqs", "tagging")


class TaggedByMoto:
    """`pavedroad.localcloud.tagging.model.Tags`, for every service that moto knows to have tags, in use."""

    def __init__(self, state: State) -> None:
        self._state = state

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        ec2 = ec2_backend.backend(account, region)
        for resource_id, tags in ec2.tags.items():
            kind = EC2_PREFIX_TO_RESOURCE.get(resource_id.rpartition("-")[0], "")
            if kind:
                yield Tagged(
                    f"arn:aws:ec2:{region}:{account}:{kind}/{resource_id}", f"ec2:{kind}", dict(tags)
                )
        for backend in _others(account, region):
            for it in backend.iter_tagged_resources():
                yield Tagged(it.arn, it.resource_type, it.tags)

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:")

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        self._change(account, region, arn, lambda backend: backend.tag_resource(arn, dict(tags)))

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        self._change(account, region, arn, lambda backend: backend.untag_resource(arn, list(keys)))

    def _change(self, account: str, region: str, arn: str, change: Callable[[Any], object]) -> None:
        ec2 = ec2_backend.backend(account, region)
        with self._state.changing():
            if ec2.owns_arn(arn):
                if arn.rpartition("/")[2] not in _ids(ec2):
                    raise _not_there(arn)
                backend: Any = ec2
            else:
                known = (it for it in _others(account, region) if it.owns_arn(arn))
                backend = next((it for it in known if _has(it, arn)), None)
                if backend is None:
                    raise _not_there(arn)
            try:
                change(backend)
            except NotImplementedError:
                raise ServiceError("InvalidParameterException", f"{arn} cannot be tagged here.") from None
            except Exception as error:
                raise as_service_error(
                    error, ApiRequest("tagging", region, account, "", "", "", {})
                ) from error


def _others(account: str, region: str) -> Iterator[TaggableResourcesMixin]:
    return (it for it in iter_taggable_backends(account, region) if it.SERVICE_NAMESPACE not in _OURS)


def _has(backend: TaggableResourcesMixin, arn: str) -> bool:
    return any(it.arn == arn for it in backend.iter_tagged_resources())


def _ids(ec2: Any) -> set[str]:
    found = {it.arn.rpartition("/")[2] for it in ec2.iter_tagged_resources()}
    return found | set(ec2.tags) | set(ec2.launch_templates)


def _not_there(arn: str) -> ServiceError:
    return ServiceError("InvalidParameterException", f"The resource {arn} does not exist here.")
