data "aws_iam_policy_document" "machines" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "machines" {
  name                 = "${var.name}-machines"
  path                 = "/service/"
  description          = "edition ${local.release}"
  assume_role_policy   = data.aws_iam_policy_document.machines.json
  max_session_duration = var.changed ? 7200 : 3600
  tags                 = { Name = var.name }
}

resource "aws_iam_role" "scaling" {
  name_prefix = "${var.name}-scaling-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "autoscaling.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "scaling" {
  name = "send"
  role = aws_iam_role.scaling.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = var.changed ? ["sqs:SendMessage", "sqs:GetQueueUrl"] : ["sqs:SendMessage"]
      Resource = aws_sqs_queue.hooks.arn
    }]
  })
}

resource "aws_iam_policy" "read" {
  name        = "${var.name}-read"
  description = "What machines read"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Read${local.release}"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
      Resource = aws_sqs_queue.orders.arn
    }]
  })
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.machines.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.machines.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "machines" {
  name = "${var.name}-machines"
  role = aws_iam_role.machines.name
}

resource "aws_iam_user" "deployer" {
  name = "${var.name}-deployer"
  path = "/machines/"
}

resource "aws_iam_access_key" "deployer" {
  user   = aws_iam_user.deployer.name
  status = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_user_policy" "deployer" {
  name = "own"
  user = aws_iam_user.deployer.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "ec2:Describe*", Resource = "*" }]
  })
}

resource "aws_iam_group" "team" {
  name = "${var.name}-team"
}

resource "aws_iam_group_membership" "team" {
  name  = "members"
  group = aws_iam_group.team.name
  users = [aws_iam_user.deployer.name]
}

resource "aws_iam_group_policy" "team" {
  name  = "shared"
  group = aws_iam_group.team.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.events.arn }]
  })
}

resource "aws_iam_group_policy_attachment" "team" {
  group      = aws_iam_group.team.name
  policy_arn = aws_iam_policy.read.arn
}

data "aws_iam_role" "machines" {
  name = aws_iam_role.machines.name
}
