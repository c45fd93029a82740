"""EC2 in this process, called as boto3's clients call it: parameters and answers by the model's names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from pavedroad.localcloud.moto_adapter.ec2_backend import ACCOUNT, backend
from pavedroad.localcloud.moto_adapter.snapshot import pickled
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.generated import model_of, wire

Json = dict[str, Any]
IMAGE = "ami-12c6146b"


class Ec2:
    """Calls raise as boto3's do."""

    def __init__(self, bench: Bench, region: str = "us-east-1") -> None:
        self._bench = bench
        self._region = region

    def call(self, operation: str, **made: Any) -> Json:
        method, path, headers, body = wire("ec2", operation, made)
        answer = self._bench.send("ec2", body, method=method, path=path, headers=headers, region=self._region)
        response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
        shape = model_of("ec2").operation_model(operation).output_shape
        said: Any = create_parser("ec2").parse(response, shape)
        if answer.status >= 300:
            raise ClientError(said, operation)
        return said

    def code(self, operation: str, **made: Any) -> str:
        """Of its refusal; empty where it is not refused."""
        try:
            self.call(operation, **made)
        except ClientError as error:
            return error.response.get("Error", {}).get("Code", "")
        return ""

    def zone(self, letter: str = "") -> str:
        """The first one, or another."""
        return f"{self._region}{letter or 'a'}"

    def end(self, *instance_ids: str) -> None:
        """Terminated, with what the controller does once the guest is gone."""
        self.call("TerminateInstances", InstanceIds=list(instance_ids))
        for instance_id in instance_ids:
            one = backend(ACCOUNT, self._region).get_instance(instance_id)
            if one.life.observe(None, datetime.now(UTC), settled=True, ends=False):
                one.take_down()

    def kept(self) -> bytes:
        """All that there is, as it would be saved."""
        return pickled(backend(ACCOUNT, self._region))

    # What tests begin with.

    def vpc(self, cidr: str = "10.60.0.0/16") -> str:
        return self.call("CreateVpc", CidrBlock=cidr)["Vpc"]["VpcId"]

    def subnet(self, vpc_id: str, cidr: str = "10.60.1.0/24", zone: str = "") -> str:
        made = self.call("CreateSubnet", VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=self.zone(zone))
        return made["Subnet"]["SubnetId"]

    def instance(self, zone: str = "", **more: Any) -> str:
        placed: Json = (
            {}
            if "SubnetId" in more or "NetworkInterfaces" in more
            else {"Placement": {"AvailabilityZone": self.zone(zone)}}
        )
        launched = {"ImageId": IMAGE, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
        return self.call("RunInstances", **launched, **placed, **more)["Instances"][0]["InstanceId"]

    def volume(self, zone: str = "", **more: Any) -> str:
        return self.call("CreateVolume", **{"AvailabilityZone": self.zone(zone), "Size": 1, **more})[
            "VolumeId"
        ]

    def interface(self, subnet_id: str, **more: Any) -> str:
        made = self.call("CreateNetworkInterface", SubnetId=subnet_id, **more)
        return made["NetworkInterface"]["NetworkInterfaceId"]

    def group(self, vpc_id: str, name: str) -> str:
        return self.call("CreateSecurityGroup", GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]

    def address(self) -> str:
        return self.call("AllocateAddress", Domain="vpc")["AllocationId"]

    def gateway(self, vpc_id: str | None = None) -> str:
        made = self.call("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
        if vpc_id:
            self.call("AttachInternetGateway", InternetGatewayId=made, VpcId=vpc_id)
        return made

    def table(self, vpc_id: str) -> str:
        return self.call("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]

    def described(self, operation: str, **made: Any) -> Json:
        """The one thing that is described."""
        answer = self.call(operation, **made)
        (things,) = [it for it in answer.values() if isinstance(it, list)]
        (thing,) = things
        return thing
