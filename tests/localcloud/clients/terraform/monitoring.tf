resource "aws_cloudwatch_metric_alarm" "busy" {
  alarm_name          = "${var.name}-busy"
  alarm_description   = "edition ${local.release}"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  datapoints_to_alarm = 1
  metric_name         = "CPUUtilization"
  namespace           = "AWS/EC2"
  period              = 60
  statistic           = "Average"
  threshold           = var.changed ? 95 : 90
  treat_missing_data  = "notBreaching"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.web.name }
  alarm_actions       = [aws_autoscaling_policy.steps.arn, aws_sns_topic.events.arn]
  ok_actions          = [aws_sns_topic.events.arn]
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name          = "${var.name}-slow"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 1
  metric_name         = "TargetResponseTime"
  namespace           = "AWS/ApplicationELB"
  period              = 60
  extended_statistic  = "p99"
  threshold           = 2.5
  dimensions          = { LoadBalancer = aws_lb.web.arn_suffix }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0.05

  metric_query {
    id          = "share"
    expression  = "errors / requests"
    label       = "share of errors"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      metric_name = "HTTPCode_Target_5XX_Count"
      namespace   = "AWS/ApplicationELB"
      period      = 60
      stat        = "Sum"
      dimensions  = { LoadBalancer = aws_lb.web.arn_suffix }
    }
  }

  metric_query {
    id = "requests"

    metric {
      metric_name = "RequestCount"
      namespace   = "AWS/ApplicationELB"
      period      = 60
      stat        = "Sum"
      unit        = "Count"
      dimensions  = { LoadBalancer = aws_lb.web.arn_suffix }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "trouble" {
  alarm_name    = "${var.name}-trouble"
  alarm_rule    = var.changed ? "ALARM(${aws_cloudwatch_metric_alarm.busy.alarm_name}) AND ALARM(${aws_cloudwatch_metric_alarm.slow.alarm_name})" : "ALARM(${aws_cloudwatch_metric_alarm.busy.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.slow.alarm_name})"
  alarm_actions = [aws_sns_topic.events.arn]
}

resource "aws_cloudwatch_dashboard" "shop" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [{
      type   = "metric"
      x      = 0
      y      = 0
      width  = 12
      height = 6
      properties = {
        metrics = [["AWS/EC2", "CPUUtilization", "AutoScalingGroupName", aws_autoscaling_group.web.name]]
        period  = 60
        stat    = "Average"
        region  = data.aws_region.current.name
        title   = "Processor, edition ${local.release}"
      }
    }]
  })
}

resource "aws_cloudwatch_log_group" "web" {
  name              = "/${var.name}/web"
  retention_in_days = var.changed ? 30 : 7
}
