resource "aws_lb" "tcp" {
  name                             = "${var.name}-tcp"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = [for it in aws_subnet.private : it.id]
  enable_cross_zone_load_balancing = var.changed
}

resource "aws_lb_target_group" "tcp" {
  name               = "${var.name}-tcp"
  port               = 8080
  protocol           = "TCP"
  vpc_id             = aws_vpc.main.id
  preserve_client_ip = "false"

  health_check {
    protocol = "TCP"
    interval = 10
  }
}

resource "aws_lb_target_group_attachment" "store" {
  target_group_arn = aws_lb_target_group.tcp.arn
  target_id        = aws_instance.store.id
}

resource "aws_lb_listener" "tcp" {
  load_balancer_arn = aws_lb.tcp.arn
  port              = 9000
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tcp.arn
  }
}

resource "aws_autoscaling_attachment" "tcp" {
  autoscaling_group_name = aws_autoscaling_group.spare.name
  lb_target_group_arn    = aws_lb_target_group.tcp.arn
}

resource "aws_lb_listener_certificate" "older" {
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_iam_server_certificate.older.arn
}
