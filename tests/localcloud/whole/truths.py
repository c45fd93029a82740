"""What must hold of a whole cloud at rest, found out as a stranger would: by calls, by HTTP, and in /proc."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.localcloud.running import RunningCloud

PORT = 8080
_INSTANCE = re.compile(r"(i-[0-9a-f]{17})")
_COMES = ("Launching a new EC2 instance: ", "Attaching an existing EC2 instance: ")
_GOES = ("Terminating EC2 instance: ", "Detaching EC2 instance: ")
Json = dict[str, Any]


class Truths:
    """Each `*_wrong` gives sentences; none when all is well."""

    def __init__(self, cloud: RunningCloud) -> None:
        self._cloud = cloud
        self._http = httpx.Client(timeout=5, trust_env=False)
        self.ec2, self.scaling = cloud.client("ec2"), cloud.client("autoscaling")
        self.balancing = cloud.client("elbv2")

    def close(self) -> None:
        self._http.close()

    def groups(self) -> list[Json]:
        return self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]

    def instances(self) -> dict[str, Json]:
        """All that EC2 still knows, by id."""
        pages = self.ec2.get_paginator("describe_instances").paginate()
        return {
            one["InstanceId"]: one
            for page in pages
            for reservation in page["Reservations"]
            for one in reservation["Instances"]
        }

    def health(self, target_group: str) -> dict[str, str]:
        described = self.balancing.describe_target_health(TargetGroupArn=target_group)
        return {
            one["Target"]["Id"]: one["TargetHealth"]["State"] for one in described["TargetHealthDescriptions"]
        }

    def activities(self) -> list[Json]:
        pages = self.scaling.get_paginator("describe_scaling_activities").paginate(IncludeDeletedGroups=True)
        return [activity for page in pages for activity in page["Activities"]]

    def free_addresses(self) -> int:
        return sum(subnet["AvailableIpAddressCount"] for subnet in self.ec2.describe_subnets()["Subnets"])

    def unrest(self) -> list[str]:
        """Why the cloud is not at rest yet."""
        found = [
            f"{name} is {state}"
            for name, one in self.instances().items()
            if (state := one["State"]["Name"]) not in ("running", "stopped", "terminated")
        ]
        for group in self.groups():
            found += self._unrest_of(group)
        found += [
            f"{one['Description']} is {one['StatusCode']}"
            for one in self.activities()
            if one["StatusCode"] not in ("Successful", "Failed", "Cancelled")
        ]
        return found

    def _unrest_of(self, group: Json) -> list[str]:
        name, members = group["AutoScalingGroupName"], group["Instances"]
        states = Counter(one["LifecycleState"] for one in members)
        if group.get("Status"):
            return [f"{name}: {group['Status']}"]
        if states["InService"] != group["DesiredCapacity"] or states.keys() - {"InService", "Standby"}:
            return [f"{name}: {dict(states)} of {group['DesiredCapacity']}"]
        found = [
            f"{name}: {one['InstanceId']} is unhealthy" for one in members if one["HealthStatus"] != "Healthy"
        ]
        serving = {one["InstanceId"] for one in members if one["LifecycleState"] == "InService"}
        for arn in group["TargetGroupARNs"]:
            health = self.health(arn)
            found += [
                f"{name}: {one} is {health.get(one)}" for one in serving if health.get(one) != "healthy"
            ]
        return found

    def bounds_wrong(self) -> list[str]:
        return [
            f"{one['AutoScalingGroupName']} wants {one['DesiredCapacity']}"
            for one in self.groups()
            if not one["MinSize"] <= one["DesiredCapacity"] <= one["MaxSize"]
        ]

    def serving_wrong(self) -> list[str]:
        """Who is healthy serves, as itself, and who does not serve is not healthy."""
        instances, wrong = self.instances(), list[str]()
        for group in self.groups():
            for member in group["Instances"]:
                if member["LifecycleState"] == "InService" and not self._serves(
                    instances[member["InstanceId"]]
                ):
                    wrong.append(f"{member['InstanceId']} is in service and does not serve")
        for target_group in self.balancing.describe_target_groups()["TargetGroups"]:
            for name, state in self.health(target_group["TargetGroupArn"]).items():
                if (state == "healthy") != self._serves(instances[name]):
                    wrong.append(f"{name} is {state} and that is not so")
        return wrong

    def _serves(self, instance: Json) -> bool:
        address = instance.get("PrivateIpAddress")
        try:
            return self._http.get(f"http://{address}:{PORT}/").text == instance["InstanceId"]
        except httpx.HTTPError:
            return False

    def processes_wrong(self) -> list[str]:
        """No process without its instance, and none `running` without its process."""
        found = instances_of_processes(self._cloud.endpoint)
        running = {name for name, one in self.instances().items() if one["State"]["Name"] == "running"}
        return [f"{name} has processes and does not run" for name in found - running] + [
            f"{name} runs without a process" for name in running - found
        ]

    def addresses_wrong(self, pool: int) -> list[str]:
        """`pool` addresses were free at first; each that is not is held by one interface."""
        instances = self.instances()
        interfaces = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        held = Counter(one["PrivateIpAddress"] for one in interfaces)
        wrong = [f"{address} is held {count} times" for address, count in held.items() if count > 1]
        for one in interfaces:
            owner = (one.get("Attachment") or {}).get("InstanceId")
            state = instances.get(owner, {}).get("State", {}).get("Name") if owner else None
            if owner and state in (None, "terminated"):
                wrong.append(f"{one['NetworkInterfaceId']} is attached to {owner}, which is {state}")
        alive = {
            one["PrivateIpAddress"] for one in instances.values() if one["State"]["Name"] != "terminated"
        }
        wrong += [f"{address} is an instance's and no interface's" for address in alive - held.keys()]
        if (free := self.free_addresses()) + len(interfaces) != pool:
            wrong.append(f"of {pool} addresses {free} are free, and {len(interfaces)} held")
        return wrong

    def activities_wrong(self) -> list[str]:
        """Whoever is a member came once more than it went; whoever is none went as often as it came, but for
        one that died before it had come; nobody was launched or terminated twice."""
        came, went, deeds = Counter[str](), Counter[str](), Counter[str]()
        instances, failed = self.instances(), set[str]()
        for activity in self.activities():
            said, found = activity["Description"], _INSTANCE.search(activity["Description"])
            if found is None or not said.startswith((*_COMES, *_GOES)):
                continue
            name, well = found[1], activity["StatusCode"] == "Successful"
            if said.startswith((_COMES[0], _GOES[0])):
                deeds[f"{said.split(':')[0]} {name}"] += 1
            elif not well:
                continue  # to attach or detach it was given up
            (came if said.startswith(_COMES) else went)[name] += 1
            if said.startswith(_COMES[0]) and not well:
                failed.add(name)
        members = {one["InstanceId"] for group in self.groups() for one in group["Instances"]}
        wrong = [f"{deed}, {count} times" for deed, count in deeds.items() if count > 1]
        for name in came.keys() | went.keys() | members:
            more, is_member = came[name] - went[name], name in members
            if more != is_member and not (name in failed and more == 1 and not is_member):
                wrong.append(
                    f"{name} came {came[name]} times, went {went[name]}, and is {_a(is_member)} member"
                )
        wrong += [f"{name} is a member, and its launch has failed" for name in failed & members]
        gone = {name for name in instances if deeds[f"Terminating EC2 instance {name}"] or name in failed}
        return wrong + [
            f"{name} is said to be gone, and is {state}"
            for name in gone
            if (state := instances[name]["State"]["Name"]) != "terminated"
        ]


def _a(true: bool) -> str:
    return "a" if true else "no"


def instances_of_processes(endpoint: str) -> set[str]:
    """Whose processes run on this machine, of the cloud with that endpoint."""
    mark, found = f"AWS_ENDPOINT_URL={endpoint}".encode(), set[str]()
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in variables:
            found |= {
                it.partition(b"=")[2].decode() for it in variables if it.startswith(b"PAVED_INSTANCE_ID=")
            }
    return found
