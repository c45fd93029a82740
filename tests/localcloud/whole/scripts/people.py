"""IAM with STS, ACM, Route 53."""

from __future__ import annotations

import json

from tests.localcloud.whole.scripts.certificate import CERTIFICATE, PRIVATE_KEY
from tests.localcloud.whole.scripts.step import do

_TAGS = [{"Key": "kept", "Value": "there"}]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)
_OTHER = POLICY.replace("s3:*", "ec2:*")
_METADATA = f"<EntityDescriptor>{'there' * 250}</EntityDescriptor>"
_SSH = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAYQC7 there"

IAM = [
    do("CreateRole", "assumed", RoleName="assumed", AssumeRolePolicyDocument=TRUST),
    do("sts.AssumeRole", RoleArn="$assumed.Arn", RoleSessionName="there"),
    do("sts.GetSessionToken"),
    do("sts.GetFederationToken", Name="there"),
    do("CreateUser", UserName="ann", Path="/"),
    do("TagUser", Tags=_TAGS),
    do("UntagUser", TagKeys=["kept"]),
    do("CreateGroup", GroupName="people"),
    do("AddUserToGroup"),
    do("CreatePolicy", "policy", PolicyName="reads", PolicyDocument=POLICY),
    do("TagPolicy", PolicyArn="$policy.Arn", Tags=_TAGS),
    do("UntagPolicy", PolicyArn="$policy.Arn", TagKeys=["kept"]),
    do("CreatePolicyVersion", PolicyArn="$policy.Arn", PolicyDocument=_OTHER),
    do("SetDefaultPolicyVersion", PolicyArn="$policy.Arn", VersionId="v2"),
    do("DeletePolicyVersion", PolicyArn="$policy.Arn", VersionId="v1"),
    do("CreateRole", "server", RoleName="server", AssumeRolePolicyDocument=TRUST),
    do("TagRole", RoleName="server", Tags=_TAGS),
    do("UntagRole", RoleName="server", TagKeys=["kept"]),
    do("UpdateRole", RoleName="server", Description="there"),
    do("UpdateRoleDescription", RoleName="server", Description="otherwise"),
    do("UpdateAssumeRolePolicy", RoleName="server", PolicyDocument=TRUST.replace("ec2", "ecs")),
    do("PutRolePermissionsBoundary", RoleName="server", PermissionsBoundary="$policy.Arn"),
    do("DeleteRolePermissionsBoundary", RoleName="server"),
    do("PutRolePolicy", RoleName="server", PolicyName="inline", PolicyDocument=POLICY),
    do("DeleteRolePolicy", RoleName="server", PolicyName="inline"),
    do("PutUserPolicy", PolicyName="inline", PolicyDocument=POLICY),
    do("DeleteUserPolicy", PolicyName="inline"),
    do("PutGroupPolicy", PolicyName="inline", PolicyDocument=POLICY),
    do("DeleteGroupPolicy", PolicyName="inline"),
    do("AttachRolePolicy", RoleName="server", PolicyArn="$policy.Arn"),
    do("AttachUserPolicy", PolicyArn="$policy.Arn"),
    do("AttachGroupPolicy", PolicyArn="$policy.Arn"),
    do("DetachRolePolicy", RoleName="server", PolicyArn="$policy.Arn"),
    do("DetachUserPolicy", PolicyArn="$policy.Arn"),
    do("DetachGroupPolicy", PolicyArn="$policy.Arn"),
    do("CreateInstanceProfile", InstanceProfileName="server"),
    do("TagInstanceProfile", Tags=_TAGS),
    do("UntagInstanceProfile", TagKeys=["kept"]),
    do("AddRoleToInstanceProfile", RoleName="server"),
    do("RemoveRoleFromInstanceProfile", RoleName="server"),
    do("DeleteInstanceProfile"),
    do("CreateAccessKey", "key", UserName="ann"),
    do("UpdateAccessKey", UserName="ann", AccessKeyId="$key.AccessKeyId", Status="Inactive"),
    do("DeleteAccessKey", UserName="ann", AccessKeyId="$key.AccessKeyId"),
    do("CreateLoginProfile", UserName="ann", Password="one Password 1"),
    do("UpdateLoginProfile", UserName="ann", Password="another Password 2"),
    do("DeleteLoginProfile", UserName="ann"),
    do("CreateVirtualMFADevice", VirtualMFADeviceName="device"),
    do("EnableMFADevice", AuthenticationCode1="123456", AuthenticationCode2="234567"),
    do("DeactivateMFADevice", UserName="ann"),
    do("DeleteVirtualMFADevice"),
    do("UploadSSHPublicKey", SSHPublicKeyBody=_SSH),
    do("UpdateSSHPublicKey", Status="Inactive"),
    do("DeleteSSHPublicKey"),
    do("UploadSigningCertificate", UserName="ann", CertificateBody=CERTIFICATE),
    do("UpdateSigningCertificate", UserName="ann", Status="Inactive"),
    do("DeleteSigningCertificate", UserName="ann"),
    do(
        "UploadServerCertificate",
        ServerCertificateName="served",
        CertificateBody=CERTIFICATE,
        PrivateKey=PRIVATE_KEY,
    ),
    do("TagServerCertificate", ServerCertificateName="served", Tags=[{"Key": "kept", "Value": "there"}]),
    do("UntagServerCertificate", ServerCertificateName="served", TagKeys=["kept"]),
    do("DeleteServerCertificate"),
    do("CreateAccountAlias", AccountAlias="there"),
    do("DeleteAccountAlias", AccountAlias="there"),
    do("UpdateAccountPasswordPolicy", MinimumPasswordLength=12),
    do("DeleteAccountPasswordPolicy"),
    do("CreateOpenIDConnectProvider", Url="https://there.example", ThumbprintList=["a" * 40]),
    do("TagOpenIDConnectProvider", Tags=_TAGS),
    do("UntagOpenIDConnectProvider", TagKeys=["kept"]),
    do("UpdateOpenIDConnectProviderThumbprint", ThumbprintList=["b" * 40]),
    do("DeleteOpenIDConnectProvider"),
    do("CreateSAMLProvider", Name="there", SAMLMetadataDocument=_METADATA),
    do("UpdateSAMLProvider", SAMLMetadataDocument=_METADATA.replace("there", "other")),
    do("DeleteSAMLProvider"),
    do("CreateServiceLinkedRole", "linked", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="there"),
    do("DeleteServiceLinkedRole", RoleName="$linked.RoleName"),
    do("GenerateCredentialReport"),
    do("UpdateGroup", NewGroupName="folk"),
    do("RemoveUserFromGroup", GroupName="folk"),
    do("DeleteGroup", GroupName="folk"),
    do("UpdateUser", NewUserName="bea"),
    do("DeleteUser", UserName="bea"),
    do("DeleteRole", RoleName="server"),
    do("DeletePolicy", PolicyArn="$policy.Arn"),
]

ACM = [
    do("ImportCertificate", Certificate=CERTIFICATE.encode(), PrivateKey=PRIVATE_KEY.encode()),
    do("AddTagsToCertificate", Tags=_TAGS),
    do("RemoveTagsFromCertificate", Tags=_TAGS),
    do("PutAccountConfiguration", ExpiryEvents={"DaysBeforeExpiry": 30}, IdempotencyToken="once"),
    do("RequestCertificate", "asked", DomainName="there.example", ValidationMethod="EMAIL"),
    do(
        "ResendValidationEmail",
        CertificateArn="$asked.CertificateArn",
        Domain="there.example",
        ValidationDomain="there.example",
    ),
    do("DeleteCertificate"),
]

_RECORD = {
    "Name": "www.example.test",
    "Type": "A",
    "TTL": 60,
    "ResourceRecords": [{"Value": "127.0.0.1"}],
}
_VPC = {"VPCRegion": "$region", "VPCId": "$VpcId"}

ROUTE53 = [
    do("ec2.DescribeVpcs"),
    do("ec2.CreateVpc", "other", CidrBlock="10.7.0.0/16"),
    do("CreateReusableDelegationSet", "set", CallerReference="set"),
    do(
        "CreateHostedZone",
        "zone",
        Name="example.test",
        CallerReference="zone",
        VPC=_VPC,
        HostedZoneConfig={"PrivateZone": True},
    ),
    do("UpdateHostedZoneComment", Id="$zone.Id", Comment="there"),
    do(
        "ChangeResourceRecordSets",
        HostedZoneId="$zone.Id",
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": _RECORD}]},
    ),
    do(
        "ChangeResourceRecordSets",
        "back",
        HostedZoneId="$zone.Id",
        ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": _RECORD}]},
    ),
    do(
        "AssociateVPCWithHostedZone",
        HostedZoneId="$zone.Id",
        VPC={"VPCRegion": "$region", "VPCId": "$other.VpcId"},
    ),
    do(
        "DisassociateVPCFromHostedZone",
        HostedZoneId="$zone.Id",
        VPC={"VPCRegion": "$region", "VPCId": "$other.VpcId"},
    ),
    do(
        "CreateHealthCheck",
        "check",
        CallerReference="check",
        HealthCheckConfig={"Type": "TCP", "IPAddress": "10.0.0.1", "Port": 80},
    ),
    do("UpdateHealthCheck", HealthCheckId="$check.Id", Port=81),
    do("ChangeTagsForResource", ResourceType="healthcheck", ResourceId="$check.Id", AddTags=_TAGS),
    do("DeleteHealthCheck", HealthCheckId="$check.Id"),
    do("CreateHostedZone", "public", Name="public.test", CallerReference="public"),
    do("DeleteHostedZone", Id="$public.Id"),
    do("DeleteReusableDelegationSet", Id="$set.Id"),
]
