"""apache-libcloud, unmodified: it signs with version 2, counts lists from 0, and minds the XML namespace."""

from __future__ import annotations

from typing import Any

import pytest
from libcloud.compute.providers import get_driver as compute_driver
from libcloud.compute.types import NodeState
from libcloud.compute.types import Provider as Compute
from libcloud.storage.providers import get_driver as storage_driver
from libcloud.storage.types import Provider as Storage

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


@pytest.fixture(params=["2", "4"])
def ec2(request: pytest.FixtureRequest, cloud: RunningCloud) -> Any:
    driver: Any = compute_driver(Compute.EC2)
    return driver(
        cloud.key.access_key_id,
        cloud.key.secret_access_key,
        region="us-east-1",
        host="127.0.0.1",
        port=cloud.port,
        secure=False,
        signature_version=request.param,
    )


def test_a_node_is_created_tagged_stopped_and_destroyed(ec2: Any) -> None:
    image = ec2.list_images(ex_owner="amazon")[0]
    size = next(size for size in ec2.list_sizes() if size.id == "t3.micro")
    zone = ec2.list_locations()[1]
    node = ec2.create_node(name="stranger", image=image, size=size, location=zone)
    [(running, addresses)] = ec2.wait_until_running([node], wait_period=0.1, timeout=60)
    assert running.id == node.id
    assert addresses[0].startswith("127.")
    assert running.extra["availability"] == zone.name
    assert running.extra["tags"] == {"Name": "stranger"}
    team = f"libcloud-{ec2.signature_version}"
    ec2.ex_create_tags(node, {"team": team, "tier": "web"})
    [seen] = ec2.list_nodes(ex_node_ids=[node.id])
    assert seen.extra["tags"] == {"Name": "stranger", "team": team, "tier": "web"}
    assert [one.id for one in ec2.list_nodes(ex_filters={"tag:team": team})] == [node.id]
    assert ec2.ex_stop_node(node)
    eventually(lambda: ec2.list_nodes(ex_node_ids=[node.id])[0].state == NodeState.STOPPED, within=60)
    assert ec2.destroy_node(node)
    eventually(lambda: ec2.list_nodes(ex_node_ids=[node.id])[0].state == NodeState.TERMINATED, within=60)


def test_networks_groups_and_keys_are_managed(ec2: Any) -> None:
    assert len(ec2.ex_list_subnets()) >= 3
    group = ec2.ex_create_security_group(f"libcloud-{ec2.signature_version}", "of a stranger")
    assert ec2.ex_authorize_security_group_ingress(group["group_id"], 80, 80, cidr_ips=["10.0.0.0/8"])
    listed = {one.id: one for one in ec2.ex_get_security_groups()}
    assert listed[group["group_id"]].ingress_rules[0]["from_port"] == "80"
    assert ec2.ex_delete_security_group_by_id(group["group_id"])
    pair = ec2.create_key_pair(f"libcloud-{ec2.signature_version}")
    assert pair.private_key.startswith("-----BEGIN")
    assert ec2.delete_key_pair(pair)


def test_objects_are_stored_and_streamed(cloud: RunningCloud) -> None:
    driver: Any = storage_driver(Storage.S3)
    s3 = driver(
        cloud.key.access_key_id,
        cloud.key.secret_access_key,
        host="127.0.0.1",
        port=cloud.port,
        secure=False,
        region="us-east-1",
    )
    container = s3.create_container("of-libcloud")
    stored = container.upload_object_via_stream(iter([b"hello, ", b"world"]), "greeting")
    assert [one.name for one in container.list_objects()] == ["greeting"]
    assert b"".join(stored.as_stream()) == b"hello, world"
    assert stored.delete()
    assert container.delete()
