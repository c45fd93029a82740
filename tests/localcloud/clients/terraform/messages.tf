resource "aws_sqs_queue" "hooks" {
  name = "${var.name}-hooks"
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = var.changed ? 86400 : 1209600
}

resource "aws_sqs_queue" "orders" {
  name                       = "${var.name}-orders"
  delay_seconds              = var.changed ? 5 : 0
  max_message_size           = 65536
  receive_wait_time_seconds  = 10
  visibility_timeout_seconds = var.changed ? 90 : 60
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.changed ? 5 : 4
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.orders.arn]
  })
}

resource "aws_sqs_queue" "in_turn" {
  name                        = "${var.name}-in-turn.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
  sqs_managed_sse_enabled     = true
}

data "aws_iam_policy_document" "orders" {
  statement {
    sid       = "Topic${local.release}"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.orders.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.events.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "orders" {
  queue_url = aws_sqs_queue.orders.id
  policy    = data.aws_iam_policy_document.orders.json
}

resource "aws_sns_topic" "events" {
  name         = "${var.name}-events"
  display_name = "Events, edition ${local.release}"
}

resource "aws_sns_topic" "in_turn" {
  name                        = "${var.name}-in-turn.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}

resource "aws_sns_topic_policy" "events" {
  arn = aws_sns_topic.events.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Publish${local.release}"
      Effect    = "Allow"
      Principal = { AWS = data.aws_caller_identity.current.account_id }
      Action    = ["sns:Publish", "sns:Subscribe"]
      Resource  = aws_sns_topic.events.arn
    }]
  })
}

resource "aws_sns_topic_subscription" "orders" {
  topic_arn            = aws_sns_topic.events.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.orders.arn
  raw_message_delivery = var.changed
  filter_policy_scope  = var.changed ? "MessageBody" : "MessageAttributes"
  filter_policy        = jsonencode({ kind = var.changed ? ["order", "refund"] : ["order"] })
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })
}

resource "aws_sns_topic_subscription" "in_turn" {
  topic_arn = aws_sns_topic.in_turn.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.in_turn.arn
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.events.arn
  protocol  = "email"
  endpoint  = "someone@shop.example"
}

data "aws_sqs_queue" "orders" {
  name = aws_sqs_queue.orders.name
}

data "aws_sns_topic" "events" {
  name = aws_sns_topic.events.name
}
