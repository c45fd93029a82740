"""What an instance reads about itself at its metadata service: paths below `/latest/` to texts."""

from __future__ import annotations

import json

from pavedroad.localcloud.api.ec2.facts import Facts, RoleCredentials


def metadata_of(facts: Facts) -> dict[str, str]:
    mac = f"network/interfaces/macs/{facts.mac}"
    texts = {
        "ami-id": facts.image_id,
        "ami-launch-index": str(facts.launch_index),
        "ami-manifest-path": "(unknown)",
        "hostname": facts.address,
        "local-hostname": facts.address,
        "local-ipv4": facts.private_address,
        "mac": facts.mac,
        "instance-action": "none",
        "instance-id": facts.id,
        "instance-life-cycle": "spot" if facts.spot else "on-demand",
        "instance-type": facts.instance_type,
        "placement/availability-zone": facts.zone,
        "placement/availability-zone-id": facts.zone_id,
        "placement/region": facts.region,
        "reservation-id": facts.reservation_id,
        "security-groups": "\n".join(facts.security_groups),
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
        f"{mac}/local-ipv4s": facts.private_address,
        f"{mac}/mac": facts.mac,
        f"{mac}/owner-id": facts.account,
        f"{mac}/subnet-id": facts.subnet_id,
        f"{mac}/vpc-id": facts.vpc_id,
    }
    if facts.public_address:
        texts["public-ipv4"] = texts["public-hostname"] = facts.public_address
        texts[f"{mac}/public-ipv4s"] = facts.public_address
    if facts.key_name:
        texts["public-keys/0/openssh-key"] = facts.key_material
    if facts.metadata_tags:
        texts |= {f"tags/instance/{key}": value for key, value in facts.tags.items()}
    if facts.placement_group:
        texts["placement/group-name"] = facts.placement_group
    if facts.partition:
        texts["placement/partition-number"] = str(facts.partition)
    if facts.target_lifecycle_state:
        texts["autoscaling/target-lifecycle-state"] = facts.target_lifecycle_state
    if notice := facts.interruption:
        texts["spot/instance-action"] = json.dumps({"action": notice.action, "time": notice.at})
        if notice.action == "terminate":
            texts["spot/termination-time"] = notice.at
        texts["events/recommendations/rebalance"] = json.dumps({"noticeTime": notice.noticed_at})
    if facts.profile_arn:
        texts["iam/info"] = _pretty(
            {
                "Code": "Success",
                "LastUpdated": facts.credentials.issued if facts.credentials else facts.launched,
                "InstanceProfileArn": facts.profile_arn,
                "InstanceProfileId": facts.profile_id,
            }
        )
    if facts.credentials:
        texts[f"iam/security-credentials/{facts.credentials.role}"] = _credentials(facts.credentials)
    documents = {f"meta-data/{path}": text for path, text in texts.items()}
    documents["dynamic/instance-identity/document"] = _identity(facts)
    return documents


def _credentials(given: RoleCredentials) -> str:
    return _pretty(
        {
            "Code": "Success",
            "LastUpdated": given.issued,
            "Type": "AWS-HMAC",
            "AccessKeyId": given.access_key_id,
            "SecretAccessKey": given.secret_access_key,
            "Token": given.session_token,
            "Expiration": given.expires,
        }
    )


def _identity(facts: Facts) -> str:
    return _pretty(
        {
            "accountId": facts.account,
            "architecture": facts.architecture,
            "availabilityZone": facts.zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "marketplaceProductCodes": None,
            "imageId": facts.image_id,
            "instanceId": facts.id,
            "instanceType": facts.instance_type,
            "kernelId": None,
            "pendingTime": facts.launched,
            "privateIp": facts.private_address,
            "ramdiskId": None,
            "region": facts.region,
            "version": "2017-09-30",
        }
    )


def _pretty(document: dict[str, str | None]) -> str:
    return json.dumps(document, indent=2)
