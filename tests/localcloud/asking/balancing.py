"""What the operations of load balancing want, of both versions of its API."""

from __future__ import annotations

from tests.localcloud.asking.given import TAGS, Given, two_subnets

_FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
_PATH = {"Field": "path-pattern", "Values": ["/asked"]}
_LISTENER = {"Protocol": "HTTP", "InstanceProtocol": "HTTP", "InstancePort": 80}
_CHECK = {"Interval": 5, "Timeout": 2, "HealthyThreshold": 2, "UnhealthyThreshold": 2}
PROXY = {
    "PolicyTypeName": "ProxyProtocolPolicyType",
    "PolicyAttributes": [{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}],
}

BALANCING: dict[str, dict[str, Given]] = {
    "elb": {
        "AddTags": {"Tags": TAGS},
        "RemoveTags": {"Tags": [{"Key": "asked"}]},
        "ApplySecurityGroupsToLoadBalancer": lambda there: {"SecurityGroups": [there["WallGroupId"]]},
        "AttachLoadBalancerToSubnets": lambda there: {"Subnets": two_subnets(there)[:1]},
        "DetachLoadBalancerFromSubnets": lambda there: {"Subnets": two_subnets(there)[:1]},
        "EnableAvailabilityZonesForLoadBalancer": {"AvailabilityZones": ["us-east-1c"]},
        "DisableAvailabilityZonesForLoadBalancer": {"AvailabilityZones": ["us-east-1c"]},
        "ConfigureHealthCheck": {"HealthCheck": {"Target": "TCP:80", **_CHECK}},
        "CreateLoadBalancer": {
            "LoadBalancerName": "asked",
            "Listeners": [{**_LISTENER, "LoadBalancerPort": 8182}],
            "AvailabilityZones": ["us-east-1a"],
        },
        "CreateLoadBalancerListeners": {"Listeners": [{**_LISTENER, "LoadBalancerPort": 8183}]},
        "CreateLoadBalancerPolicy": {"PolicyName": "asked", **PROXY},
        "CreateAppCookieStickinessPolicy": {"PolicyName": "app", "CookieName": "session"},
        "CreateLBCookieStickinessPolicy": {"PolicyName": "lb", "CookieExpirationPeriod": 9},
        "DeleteLoadBalancer": {"LoadBalancerName": "asked"},
        "DeleteLoadBalancerListeners": {"LoadBalancerPorts": [8183]},
        "DeleteLoadBalancerPolicy": {"PolicyName": "lb"},
        "DescribeInstanceHealth": {},
        "DescribeLoadBalancerPolicies": {"LoadBalancerName": "old", "PolicyNames": ["proxy"]},
        "DescribeLoadBalancerPolicyTypes": {"PolicyTypeNames": ["ProxyProtocolPolicyType"]},
        "ModifyLoadBalancerAttributes": {
            "LoadBalancerAttributes": {"ConnectionSettings": {"IdleTimeout": 17}}
        },
        "RegisterInstancesWithLoadBalancer": lambda there: {
            "Instances": [{"InstanceId": there["MainInstanceId"]}]
        },
        "DeregisterInstancesFromLoadBalancer": lambda there: {
            "Instances": [{"InstanceId": there["MainInstanceId"]}]
        },
        "SetLoadBalancerListenerSSLCertificate": lambda there: {
            "LoadBalancerPort": 8181,
            "SSLCertificateId": there["CertificateArn"],
        },
        "SetLoadBalancerPoliciesForBackendServer": {"InstancePort": 80, "PolicyNames": ["proxy"]},
        "SetLoadBalancerPoliciesOfListener": {"LoadBalancerPort": 8181, "PolicyNames": []},
    },
    "elbv2": {
        "AddTags": lambda there: {"ResourceArns": [there["LoadBalancerArn"]]},
        "DescribeTags": lambda there: {"ResourceArns": [there["LoadBalancerArn"]]},
        "RemoveTags": lambda there: {"ResourceArns": [there["LoadBalancerArn"]]},
        "ModifyRule": lambda there: {"RuleArn": there.every("RuleArn")[-1], "Actions": [_FIXED]},
        "SetSecurityGroups": lambda there: {"SecurityGroups": [there["WallGroupId"]]},
        "AddListenerCertificates": lambda there: {
            "Certificates": [{"CertificateArn": there["CertificateArn"]}]
        },
        "CreateListener": {"Protocol": "HTTP", "Port": 8181, "DefaultActions": [_FIXED]},
        "CreateLoadBalancer": lambda there: {"Name": "asked", "Subnets": two_subnets(there)},
        "CreateRule": {"Priority": 77, "Conditions": [_PATH], "Actions": [_FIXED]},
        "CreateTargetGroup": lambda there: {
            "Name": "asked",
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": there["VpcId"],
        },
        "DescribeListeners": lambda there: {"LoadBalancerArn": there["LoadBalancerArn"]},
        "DescribeRules": lambda there: {"ListenerArn": there["ListenerArn"]},
        "ModifyCapacityReservation": {"MinimumLoadBalancerCapacity": {"CapacityUnits": 100}},
        "ModifyListenerAttributes": {
            "Attributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}]
        },
        "ModifyLoadBalancerAttributes": {
            "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "17"}]
        },
        "ModifyTargetGroupAttributes": {"Attributes": [{"Key": "stickiness.enabled", "Value": "false"}]},
        "RegisterTargets": lambda there: {"Targets": [{"Id": there["InstanceId"]}]},
        "SetRulePriorities": lambda there: {"RulePriorities": [{"RuleArn": there["RuleArn"], "Priority": 9}]},
        "SetSubnets": lambda there: {"Subnets": two_subnets(there)},
        "RemoveListenerCertificates": lambda there: {
            "Certificates": [{"CertificateArn": there["CertificateArn"]}]
        },
    },
}
