resource "aws_launch_template" "web" {
  name                   = "${var.name}-web"
  description            = "edition ${local.release}"
  image_id               = data.aws_ami.amazon.id
  instance_type          = "t3.micro"
  key_name               = aws_key_pair.admin.key_name
  vpc_security_group_ids = [aws_security_group.machines.id]
  user_data              = base64encode(local.web)
  update_default_version = true
  ebs_optimized          = true

  iam_instance_profile {
    arn = aws_iam_instance_profile.machines.arn
  }

  monitoring {
    enabled = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 10
      volume_type           = "gp3"
      delete_on_termination = true
      encrypted             = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-web", Release = local.release }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = { Name = "${var.name}-web" }
  }
}

resource "aws_autoscaling_group" "web" {
  name                      = "${var.name}-web"
  min_size                  = 2
  max_size                  = var.changed ? 6 : 4
  desired_capacity          = var.changed ? 3 : 2
  vpc_zone_identifier       = [for it in aws_subnet.public : it.id]
  target_group_arns         = [aws_lb_target_group.web.arn]
  health_check_type         = "ELB"
  health_check_grace_period = var.changed ? 60 : 30
  default_cooldown          = 10
  default_instance_warmup   = 1
  termination_policies      = ["OldestLaunchTemplate", "Default"]
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances"]
  metrics_granularity       = "1Minute"
  suspended_processes       = var.changed ? ["AZRebalance"] : []
  capacity_rebalance        = var.changed
  max_instance_lifetime     = 604800
  wait_for_elb_capacity     = var.changed ? 3 : 2
  force_delete              = true

  launch_template {
    id      = aws_launch_template.web.id
    version = aws_launch_template.web.latest_version
  }

  initial_lifecycle_hook {
    name                    = "born"
    lifecycle_transition    = "autoscaling:EC2_INSTANCE_LAUNCHING"
    heartbeat_timeout       = 30
    default_result          = "CONTINUE"
    notification_metadata   = jsonencode({ from = var.name })
    notification_target_arn = aws_sqs_queue.hooks.arn
    role_arn                = aws_iam_role.scaling.arn
  }

  instance_refresh {
    strategy = "Rolling"
    triggers = ["tag"]

    preferences {
      min_healthy_percentage = 50
      instance_warmup        = 0
      auto_rollback          = true
    }
  }

  tag {
    key                 = "Name"
    value               = "${var.name}-web"
    propagate_at_launch = true
  }

  tag {
    key                 = "Edition"
    value               = local.release
    propagate_at_launch = false
  }

  timeouts {
    delete = "5m"
  }
}

resource "aws_autoscaling_group" "spare" {
  name                = "${var.name}-spare"
  min_size            = 0
  max_size            = 4
  desired_capacity    = 1
  vpc_zone_identifier = [for it in aws_subnet.private : it.id]
  health_check_type   = "EC2"

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = 1
      on_demand_percentage_above_base_capacity = var.changed ? 50 : 100
      spot_allocation_strategy                 = "capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.web.id
        version            = "$Latest"
      }

      override {
        instance_type     = "t3.micro"
        weighted_capacity = "1"
      }

      override {
        instance_type     = "t3.small"
        weighted_capacity = "2"
      }
    }
  }

  warm_pool {
    pool_state                  = "Stopped"
    min_size                    = 1
    max_group_prepared_capacity = 3

    instance_reuse_policy {
      reuse_on_scale_in = var.changed
    }
  }

  tag {
    key                 = "Name"
    value               = "${var.name}-spare"
    propagate_at_launch = true
  }
}

resource "aws_autoscaling_policy" "cpu" {
  name                   = "${var.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.web.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.changed ? 70 : 50

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "requests" {
  name                      = "${var.name}-requests"
  autoscaling_group_name    = aws_autoscaling_group.web.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 30

  target_tracking_configuration {
    target_value     = 10000
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.web.arn_suffix}/${aws_lb_target_group.web.arn_suffix}"
    }
  }
}

resource "aws_autoscaling_policy" "backlog" {
  name                   = "${var.name}-backlog"
  autoscaling_group_name = aws_autoscaling_group.spare.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 100000

    customized_metric_specification {
      metric_name = "ApproximateNumberOfMessagesVisible"
      namespace   = "AWS/SQS"
      statistic   = "Average"

      metric_dimension {
        name  = "QueueName"
        value = aws_sqs_queue.orders.name
      }
    }
  }
}

resource "aws_autoscaling_policy" "steps" {
  name                      = "${var.name}-steps"
  autoscaling_group_name    = aws_autoscaling_group.web.name
  policy_type               = "StepScaling"
  adjustment_type           = "ChangeInCapacity"
  metric_aggregation_type   = "Average"
  estimated_instance_warmup = 20

  step_adjustment {
    scaling_adjustment          = 1
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = 10
  }

  step_adjustment {
    scaling_adjustment          = var.changed ? 3 : 2
    metric_interval_lower_bound = 10
  }
}

resource "aws_autoscaling_policy" "simple" {
  name                     = "${var.name}-simple"
  autoscaling_group_name   = aws_autoscaling_group.web.name
  adjustment_type          = "PercentChangeInCapacity"
  scaling_adjustment       = -10
  min_adjustment_magnitude = 1
  cooldown                 = var.changed ? 90 : 60
}

resource "aws_autoscaling_schedule" "night" {
  scheduled_action_name  = "${var.name}-night"
  autoscaling_group_name = aws_autoscaling_group.spare.name
  min_size               = 0
  max_size               = 4
  desired_capacity       = 0
  recurrence             = var.changed ? "0 23 * * *" : "0 22 * * *"
  time_zone              = "Europe/Berlin"
}

resource "aws_autoscaling_schedule" "once" {
  scheduled_action_name  = "${var.name}-once"
  autoscaling_group_name = aws_autoscaling_group.spare.name
  min_size               = -1
  max_size               = -1
  desired_capacity       = 3
  start_time             = "2099-01-01T00:00:00Z"
}

resource "aws_autoscaling_lifecycle_hook" "leaving" {
  name                   = "leaving"
  autoscaling_group_name = aws_autoscaling_group.web.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  default_result         = "CONTINUE"
  heartbeat_timeout      = 30
}

resource "aws_autoscaling_notification" "all" {
  group_names   = [aws_autoscaling_group.web.name, aws_autoscaling_group.spare.name]
  topic_arn     = aws_sns_topic.events.arn
  notifications = ["autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"]
}
