resource "aws_acm_certificate" "web" {
  certificate_body = var.certificate
  private_key      = var.private_key
  tags             = { Name = var.name }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_server_certificate" "older" {
  name             = "${var.name}-older"
  certificate_body = var.certificate
  private_key      = var.private_key
}

resource "aws_lb" "web" {
  name               = "${var.name}-web"
  load_balancer_type = "application"
  security_groups    = [aws_security_group.front.id]
  subnets            = [for it in aws_subnet.public : it.id]
  idle_timeout       = var.changed ? 90 : 60

  drop_invalid_header_fields = var.changed
  enable_deletion_protection = false
}

resource "aws_lb_target_group" "web" {
  name                          = "${var.name}-web"
  port                          = 8080
  protocol                      = "HTTP"
  vpc_id                        = aws_vpc.main.id
  deregistration_delay          = var.changed ? 2 : 1
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path                = var.changed ? "/ready" : "/"
    matcher             = "200-299"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  stickiness {
    type            = "lb_cookie"
    enabled         = var.changed
    cookie_duration = 3600
  }
}

resource "aws_lb_target_group" "addresses" {
  name_prefix = "ip-"
  target_type = "ip"
  port        = 8080
  protocol    = "HTTP"
  vpc_id      = aws_vpc.main.id
  slow_start  = var.changed ? 60 : 30

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "second" {
  target_group_arn = aws_lb_target_group.addresses.arn
  target_id        = tolist(aws_network_interface.second.private_ips)[0]
  port             = 9090
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = var.changed ? "HTTP_302" : "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.web.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.changed ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : "ELBSecurityPolicy-2016-08"
  certificate_arn   = aws_acm_certificate.web.arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener_rule" "split" {
  listener_arn = aws_lb_listener.https.arn
  priority     = var.changed ? 15 : 10

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.web.arn
        weight = var.changed ? 70 : 90
      }

      target_group {
        arn    = aws_lb_target_group.addresses.arn
        weight = var.changed ? 30 : 10
      }

      stickiness {
        enabled  = true
        duration = 600
      }
    }
  }

  condition {
    path_pattern {
      values = ["/api/*"]
    }
  }

  condition {
    host_header {
      values = ["shop.example", "*.shop.example"]
    }
  }

  tags = { Name = "split" }
}

resource "aws_lb_listener_rule" "closed" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 20

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "closed, edition ${local.release}"
      status_code  = "503"
    }
  }

  condition {
    http_header {
      http_header_name = "X-Closed"
      values           = ["yes"]
    }
  }

  condition {
    query_string {
      key   = "closed"
      value = "1"
    }

    query_string {
      value = "shut"
    }
  }
}

resource "aws_lb_listener_rule" "inside" {
  listener_arn = aws_lb_listener.http.arn

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }

  condition {
    source_ip {
      values = ["127.0.0.0/8", "10.0.0.0/8"]
    }
  }

  condition {
    http_request_method {
      values = ["GET", "HEAD"]
    }
  }
}

data "aws_lb" "web" {
  arn = aws_lb.web.arn
}

data "aws_lb_target_group" "web" {
  arn = aws_lb_target_group.web.arn
}
