"""SNS, SQS, CloudWatch."""

from __future__ import annotations

import json

from tests.localcloud.whole.scripts.step import do

_TAGS = [{"Key": "kept", "Value": "there"}]
_ALARM = {
    "Namespace": "Kept",
    "MetricName": "Load",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}

SNS = [
    do("sqs.CreateQueue", QueueName="told"),
    do("sqs.GetQueueAttributes", AttributeNames=["QueueArn"]),
    do("CreateTopic", Name="there"),
    do("SetTopicAttributes", AttributeName="DisplayName", AttributeValue="shown"),
    do("AddPermission", Label="lent", AWSAccountId=["123456789012"], ActionName=["Publish"]),
    do("RemovePermission", Label="lent"),
    do("TagResource", ResourceArn="$TopicArn", Tags=_TAGS),
    do("UntagResource", ResourceArn="$TopicArn", TagKeys=["kept"]),
    do("Subscribe", Protocol="sqs", Endpoint="$QueueArn", ReturnSubscriptionArn=True),
    do(
        "SetSubscriptionAttributes",
        SubscriptionArn="$SubscriptionArn",
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    ),
    do("Publish", TopicArn="$TopicArn", Message="hello"),
    do("PublishBatch", PublishBatchRequestEntries=[{"Id": "one", "Message": "hello"}]),
    do("Unsubscribe"),
    do("Subscribe", "http", Protocol="http", Endpoint="$hook"),
    do("ConfirmSubscription", Token=lambda known: known["heard"]()["Token"]),
    do("CreatePlatformApplication", Name="app", Platform="GCM", Attributes={"PlatformCredential": "x"}),
    do("SetPlatformApplicationAttributes", Attributes={"EventEndpointCreated": "$TopicArn"}),
    do("CreatePlatformEndpoint", Token="device"),
    do("SetEndpointAttributes", Attributes={"CustomUserData": "there"}),
    do("DeleteEndpoint", EndpointArn="$EndpointArn"),
    do("DeletePlatformApplication"),
    do("SetSMSAttributes", attributes={"DefaultSenderID": "there"}),
    do("OptInPhoneNumber", phoneNumber="+15555550100"),
    do("DeleteTopic"),
]

SQS = [
    do("CreateQueue", QueueName="there"),
    do("SetQueueAttributes", Attributes={"VisibilityTimeout": "40"}),
    do("AddPermission", Label="lent", AWSAccountIds=["123456789012"], Actions=["SendMessage"]),
    do("RemovePermission", Label="lent"),
    do("TagQueue", Tags={"kept": "there"}),
    do("UntagQueue", TagKeys=["kept"]),
    do("SendMessage", MessageBody="one"),
    do("ReceiveMessage", "one", WaitTimeSeconds=0, VisibilityTimeout=600),
    do("ChangeMessageVisibility", ReceiptHandle="$one.ReceiptHandle", VisibilityTimeout=500),
    do("DeleteMessage", ReceiptHandle="$one.ReceiptHandle"),
    do("SendMessageBatch", Entries=[{"Id": "two", "MessageBody": "two"}]),
    do("ReceiveMessage", "two", WaitTimeSeconds=0, VisibilityTimeout=600),
    do(
        "ChangeMessageVisibilityBatch",
        Entries=[{"Id": "two", "ReceiptHandle": "$two.ReceiptHandle", "VisibilityTimeout": 500}],
    ),
    do("DeleteMessageBatch", Entries=[{"Id": "two", "ReceiptHandle": "$two.ReceiptHandle"}]),
    do("SendMessage", "three", MessageBody="three"),
    do("CreateQueue", "dead", QueueName="dead"),
    do("GetQueueAttributes", "dead", QueueUrl="$dead.QueueUrl", AttributeNames=["QueueArn"]),
    do(
        "CreateQueue",
        "letters",
        QueueName="letters",
        Attributes={"RedrivePolicy": '{"deadLetterTargetArn": "$dead.QueueArn", "maxReceiveCount": 1}'},
    ),
    do("StartMessageMoveTask", SourceArn="$dead.QueueArn"),
    do("PurgeQueue"),
    do("DeleteQueue"),
]

CLOUDWATCH = [
    do("PutMetricAlarm", AlarmName="there", **_ALARM, Tags=_TAGS),
    do("DescribeAlarms"),
    do("PutCompositeAlarm", AlarmName="both", AlarmRule="ALARM(there)"),
    do("SetAlarmState", AlarmName="there", StateValue="ALARM", StateReason="said"),
    do("DisableAlarmActions", AlarmNames=["there"]),
    do("EnableAlarmActions", AlarmNames=["there"]),
    do("TagResource", ResourceARN="$AlarmArn", Tags=[{"Key": "more", "Value": "there"}]),
    do("UntagResource", ResourceARN="$AlarmArn", TagKeys=["more"]),
    do("PutMetricData", Namespace="Kept", MetricData=[{"MetricName": "Load", "Value": 1.0}]),
    do("PutDashboard", DashboardName="there", DashboardBody=json.dumps({"widgets": []})),
    do("DeleteDashboards", DashboardNames=["there"]),
    do("DeleteAlarms", AlarmNames=["both"]),
]
