# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""EC2's actions: moto's, with those of instances and images that are true here in their place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.responses import EC2Response

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_outages
from pavedroad.localcloud.moto_adapter.ec2_attributes import Attributes
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_describe import instances_xml, launched_xml
from pavedroad.localcloud.moto_adapter.ec2_find import find_instances
from pavedroad.localcloud.moto_adapter.ec2_first import check_first
from pavedroad.localcloud.moto_adapter.ec2_fleet import Fleets
from pavedroad.localcloud.moto_adapter.ec2_given_tags import GivenTags
from pavedroad.localcloud.moto_adapter.ec2_instances import refuse_protected
from pavedroad.localcloud.moto_adapter.ec2_interfaces import Interfaces
from pavedroad.localcloud.moto_adapter.ec2_known import KnownOnly
from pavedroad.localcloud.moto_adapter.ec2_launch import Launch, repeated, with_template
from pavedroad.localcloud.moto_adapter.ec2_not_offered import not_hibernated
from pavedroad.localcloud.moto_adapter.ec2_paging import Whole
from pavedroad.localcloud.moto_adapter.ec2_placement import refuse_start
from pavedroad.localcloud.moto_adapter.ec2_placement_actions import PlacementActions
from pavedroad.localcloud.moto_adapter.ec2_spot import fulfil, refuse_low_price, request_for
from pavedroad.localcloud.moto_adapter.ec2_spot_actions import SpotActions
from pavedroad.localcloud.moto_adapter.ec2_templates import TemplateActions

_XML = {"content-type": "text/xml;charset=UTF-8"}


class LocalEC2Response(
    Interfaces,
    TemplateActions,
    GivenTags,
    KnownOnly,
    PlacementActions,
    SpotActions,
    Attributes,
    Fleets,
    Whole,
    EC2Response,
):
    """One call of EC2."""

    ec2_backend: LocalEC2Backend

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self._request_id = request_id

    def call_action(self):
        check_first(self._get_action(), self.ec2_backend, self.params)
        return super().call_action()

    def run_instances(self):
        backend, asked = self.ec2_backend, dict(self.params)
        token = asked.get("ClientToken") or ""
        fingerprint = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
        made = repeated(backend, token, fingerprint)
        if made is None:
            made = self._launch(with_template(backend, asked))
            if token:
                backend.client_tokens[token] = (fingerprint, made.id)
        return 200, dict(_XML), launched_xml(backend, made.id, made.instances, self._request_id)

    def _launch(self, asked):
        backend, now = self.ec2_backend, datetime.now(UTC)
        launch = Launch(backend, asked)
        count = launch.count(int(asked.get("MinCount", 1)), int(asked.get("MaxCount", 1)))
        if launch.is_spot:
            options = asked["InstanceMarketOptions"].get("SpotOptions") or {}
            refuse_low_price(request_for(options, asked, now), launch, now)
        self.error_on_dryrun()
        made = launch.launch(count)
        for one in made.instances if launch.is_spot else ():
            request = request_for(options, asked, now)
            fulfil(backend, request, one, now)
            backend.tags[request.id].update(launch.tags("spot-instances-request"))
        return made

    def terminate_instances(self):
        return self._change("TerminatingInstances", "terminate", self.ec2_backend.terminate_instances)

    def stop_instances(self):
        if str(self._get_param("Hibernate", False)).lower() == "true":
            for one in self.ec2_backend.get_multi_instances_by_id(self._named_instances()):
                raise not_hibernated(f"The instance '{one.id}' cannot be hibernated: no machine here can.")
        return self._change("StoppingInstances", "stop", self.ec2_backend.stop_instances)

    def start_instances(self):
        return self._change("StartingInstances", "start", self.ec2_backend.start_instances)

    def reboot_instances(self):
        ids = self._named_instances()
        for instance in self.ec2_backend.get_multi_instances_by_id(ids):
            if instance.life.state not in ("running", "pending"):
                instance.reboot()  # refuses, before any other has been touched
        self.error_on_dryrun()
        self.ec2_backend.reboot_instances(ids)
        return EmptyResult()

    def _named_instances(self) -> list[str]:
        ids = list(dict.fromkeys(self._get_param("InstanceIds", [])))
        if not ids:
            raise ServiceError("InvalidParameterCombination", "No instances specified")
        return ids

    def _change(self, key, verb, function) -> ActionResult:
        ids = self._named_instances()
        self._all_may(ids, verb)
        self.error_on_dryrun()
        changed = function(ids)
        return ActionResult(
            {
                key: [
                    {
                        "InstanceId": instance.id,
                        "CurrentState": instance.instance_state,
                        "PreviousState": previous,
                    }
                    for instance, previous in changed
                ]
            }
        )

    def _all_may(self, ids: list[str], verb: str) -> None:
        """Refuse before anything is done: the call works for all of the instances or for none."""
        for instance in self.ec2_backend.get_multi_instances_by_id(ids):
            state = instance.life.state
            refused = {
                "terminate": False,
                "stop": state in ("shutting-down", "terminated"),
                "start": state not in ("stopped", "running", "pending"),
            }[verb]
            if refused:
                raise ServiceError(
                    "IncorrectInstanceState",
                    f"The instance '{instance.id}' is not in a state from which it can be "
                    f"{'stopped' if verb == 'stop' else 'started'}: it is {state}.",
                )
            if verb == "start" and state == "stopped":
                ec2_outages.refuse_launch(instance.availability_zone, instance.instance_type)
                refuse_start(self.ec2_backend, instance)
            refuse_protected(instance, verb)

    def describe_instance_status(self):
        everything = str(self._get_param("IncludeAllInstances", False)).lower() == "true"
        if ids := self._get_param("InstanceIds", []):
            found = self.ec2_backend.get_multi_instances_by_id(ids)
        else:
            found = list(self.ec2_backend.by_id.values())
        kept = [one for one in found if everything or one.life.state == "running"]
        return ActionResult({"InstanceStatuses": kept})


def describe_instances(backend: LocalEC2Backend, form: Mapping[str, str], request_id: str) -> str:
    """DescribeInstances beside moto's parsing, for speed: a form in, XML out."""
    found, token = find_instances(backend, form)
    return instances_xml(backend, found, token, request_id)
