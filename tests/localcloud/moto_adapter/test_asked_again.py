"""What is asked again is the same, or refused, as in AWS: not one more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from tests.localcloud.moto_adapter.bench import Bench, filters
from tests.localcloud.moto_adapter.generated import model_of, wire

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def names(bench: Bench) -> Call:
    """Route 53's operations."""

    def call(operation: str, **made: Any) -> dict[str, Any]:
        method, path, headers, body = wire("route53", operation, made)
        headers = {"content-type": "text/xml", **headers}
        answer = bench.send("route53", body, method=method, path=path, headers=headers)
        asked = model_of("route53").operation_model(operation)
        response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
        said: Any = create_parser("rest-xml").parse(response, asked.output_shape)
        if answer.status >= 300:
            raise ClientError(said, operation)
        return said

    return call


def change(names: Call, zone: str, *changes: tuple[str, str, str]) -> None:
    made = [
        {
            "Action": action,
            "ResourceRecordSet": {
                "Name": name,
                "Type": "A",
                "TTL": 9,
                "ResourceRecords": [{"Value": address}],
            },
        }
        for action, name, address in changes
    ]
    names("ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": made})


def test_a_record_that_was_deleted_is_made_again(names: Call) -> None:
    zone = names("CreateHostedZone", Name="again.test", CallerReference="again")["HostedZone"]["Id"][12:]
    first, later = "a.again.test.", "b.again.test."
    change(names, zone, ("CREATE", first, "127.0.0.1"), ("CREATE", later, "127.0.0.1"))
    change(names, zone, ("DELETE", first, "127.0.0.1"))
    change(names, zone, ("CREATE", first, "127.0.0.1"))
    with pytest.raises(ClientError, match="already exists"):
        change(names, zone, ("CREATE", "A.again.test", "127.0.0.2"))
    change(names, zone, ("DELETE", first, "127.0.0.1"), ("CREATE", first, "127.0.0.3"))
    told = names("ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
    assert [(it["Name"], it["ResourceRecords"][0]["Value"]) for it in told if it["Type"] == "A"] == [
        (first, "127.0.0.3"),
        (later, "127.0.0.1"),
    ]


def test_a_network_is_associated_with_a_zone_once(names: Call) -> None:
    one = {"VPCRegion": "us-east-1", "VPCId": "vpc-11111111"}
    private = {"Name": "once.test", "CallerReference": "once", "HostedZoneConfig": {"PrivateZone": True}}
    zone = names("CreateHostedZone", VPC=one, **private)["HostedZone"]["Id"][12:]
    with pytest.raises(ClientError, match="ConflictingDomainExists"):
        names("AssociateVPCWithHostedZone", HostedZoneId=zone, VPC=one)
    names("AssociateVPCWithHostedZone", HostedZoneId=zone, VPC={**one, "VPCId": "vpc-22222222"})
    assert len(names("GetHostedZone", Id=zone)["VPCs"]) == 2


def test_a_key_pair_is_deleted_by_its_id(bench: Bench) -> None:
    made = bench.ask("CreateKeyPair", KeyName="by id", KeyType="ed25519").first("keyPairId")
    bench.ask("CreateKeyPair", KeyName="another", KeyType="ed25519")
    assert bench.ask("DeleteKeyPair", KeyPairId=made).first("keyPairId") == made
    assert bench.ask("DescribeKeyPairs", filters(key_name="by id")).every(".//keyName") == []
    assert bench.ask("DescribeKeyPairs", filters(key_name="another")).every(".//keyName") == ["another"]


def test_a_customer_gateway_is_the_same_for_the_same_address(bench: Bench) -> None:
    def made(address: str) -> str:
        asked = bench.ask("CreateCustomerGateway", Type="ipsec.1", IpAddress=address, BgpAsn=65000)
        return asked.first("customerGatewayId")

    first = made("192.0.2.1")
    assert made("192.0.2.1") == first
    assert made("192.0.2.2") != first
    bench.ask("DeleteCustomerGateway", CustomerGatewayId=first)
    assert made("192.0.2.1") != first


def test_a_subnet_has_a_block_once(bench: Bench) -> None:
    vpc = bench.ask("CreateVpc", CidrBlock="10.78.0.0/16").first("vpcId")
    subnet = bench.ask("CreateSubnet", VpcId=vpc, CidrBlock="10.78.1.0/24").first("subnetId")
    block = {"SubnetId": subnet, "Ipv6CidrBlock": "2001:db8:78::/64"}
    first = bench.ask("AssociateSubnetCidrBlock", block)
    assert first.status == 200, first.body
    assert bench.ask("AssociateSubnetCidrBlock", block).code == "InvalidSubnet.Conflict"
    assert bench.ask("DisassociateSubnetCidrBlock", AssociationId=first.first("associationId")).status == 200
    assert bench.ask("AssociateSubnetCidrBlock", block).status == 200


def test_a_transit_gateway_s_table_takes_an_attachment_s_routes_once(bench: Bench) -> None:
    vpc = bench.ask("CreateVpc", CidrBlock="10.79.0.0/16").first("vpcId")
    subnet = bench.ask("CreateSubnet", VpcId=vpc, CidrBlock="10.79.1.0/24").first("subnetId")
    gateway = bench.ask("CreateTransitGateway").first("transitGatewayId")
    table = bench.ask("CreateTransitGatewayRouteTable", TransitGatewayId=gateway).first(
        "transitGatewayRouteTableId"
    )
    attached = bench.ask(
        "CreateTransitGatewayVpcAttachment", TransitGatewayId=gateway, VpcId=vpc, **{"SubnetIds.1": subnet}
    ).first("transitGatewayAttachmentId")
    named = {"TransitGatewayRouteTableId": table}
    for _ in range(2):
        enabled = bench.ask(
            "EnableTransitGatewayRouteTablePropagation", named, TransitGatewayAttachmentId=attached
        )
        assert enabled.status == 200, enabled.body
    told = bench.ask("GetTransitGatewayRouteTablePropagations", named)
    assert told.every(".//transitGatewayAttachmentId") == [attached]
