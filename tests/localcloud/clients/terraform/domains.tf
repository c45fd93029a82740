resource "aws_route53_zone" "public" {
  name    = "${var.name}.example"
  comment = "edition ${local.release}"
}

resource "aws_route53_zone" "private" {
  name = "${var.name}.internal"

  vpc {
    vpc_id = aws_vpc.main.id
  }
}

resource "aws_route53_record" "web" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "www"
  type    = "A"

  alias {
    name                   = aws_lb.web.dns_name
    zone_id                = aws_lb.web.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "store" {
  zone_id = aws_route53_zone.private.zone_id
  name    = "store.${var.name}.internal"
  type    = "A"
  ttl     = var.changed ? 60 : 300
  records = [aws_instance.store.private_ip]
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "${var.name}.example"
  type    = "TXT"
  ttl     = 300
  records = ["v=spf1 -all", "edition ${local.release}"]
}

resource "aws_route53_record" "weighted" {
  for_each       = { blue = 90, green = 10 }
  zone_id        = aws_route53_zone.public.zone_id
  name           = "api"
  type           = "CNAME"
  ttl            = 60
  set_identifier = each.key
  records        = ["${each.key}.${var.name}.example"]

  weighted_routing_policy {
    weight = var.changed ? 50 : each.value
  }
}

resource "aws_route53_record" "any" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "*.wild"
  type    = "A"
  ttl     = 60
  records = ["192.0.2.1", "192.0.2.2"]
}

resource "aws_route53_health_check" "web" {
  fqdn              = "www.${var.name}.example"
  port              = 443
  type              = "HTTPS"
  resource_path     = var.changed ? "/ready" : "/"
  failure_threshold = 3
  request_interval  = 30
  tags              = { Name = var.name }
}

data "aws_route53_zone" "public" {
  zone_id = aws_route53_zone.public.zone_id
}
