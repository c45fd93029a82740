locals {
  idle = "#!/bin/sh\nexec sleep 100000\n"
  web  = "#!/bin/sh\nmkdir -p site && cd site && echo edition ${local.release} > index.html && cp index.html ready\nexec python3 -m http.server --bind $HOST 8080\n"
}

resource "aws_key_pair" "admin" {
  key_name   = "${var.name}-admin"
  public_key = var.public_key
}

resource "aws_placement_group" "spread" {
  name     = "${var.name}-spread"
  strategy = "spread"
}

resource "aws_instance" "store" {
  ami                         = data.aws_ami.amazon.id
  instance_type               = var.changed ? "t3.small" : "t3.micro"
  subnet_id                   = aws_subnet.private[local.zones[0]].id
  vpc_security_group_ids      = var.changed ? [aws_security_group.machines.id, aws_security_group.admin.id] : [aws_security_group.machines.id]
  key_name                    = aws_key_pair.admin.key_name
  iam_instance_profile        = aws_iam_instance_profile.machines.name
  user_data                   = local.idle
  monitoring                  = var.changed
  disable_api_termination     = false
  associate_public_ip_address = false

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = var.changed ? "required" : "optional"
    http_put_response_hop_limit = 2
  }

  root_block_device {
    volume_size = 10
    volume_type = "gp3"
    tags        = { Name = "${var.name}-root" }
  }

  tags = { Name = "${var.name}-store" }
}

resource "aws_instance" "bastion" {
  ami                    = data.aws_ami.amazon.id
  instance_type          = "t3.nano"
  subnet_id              = aws_subnet.public[local.zones[1]].id
  vpc_security_group_ids = [aws_security_group.admin.id]
  user_data              = local.idle
  volume_tags            = { Name = "${var.name}-bastion" }
  tags                   = { Name = "${var.name}-bastion" }
}

resource "aws_eip" "bastion" {
  domain     = "vpc"
  instance   = aws_instance.bastion.id
  depends_on = [aws_internet_gateway.main]
}

resource "aws_ebs_volume" "data" {
  availability_zone = local.zones[0]
  size              = var.changed ? 12 : 8
  type              = "gp3"
  encrypted         = true
  tags              = { Name = "${var.name}-data" }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.store.id
}

resource "aws_ebs_snapshot" "data" {
  volume_id   = aws_ebs_volume.data.id
  description = "first"
  tags        = { Name = "${var.name}-data" }
}

resource "aws_network_interface" "second" {
  subnet_id       = aws_subnet.private[local.zones[0]].id
  private_ips     = ["10.20.100.50"]
  security_groups = [aws_security_group.machines.id]
  description     = "edition ${local.release}"
  tags            = { Name = "${var.name}-second" }
}

resource "aws_network_interface_attachment" "second" {
  instance_id          = aws_instance.store.id
  network_interface_id = aws_network_interface.second.id
  device_index         = 1
}

data "aws_instance" "store" {
  instance_id = aws_instance.store.id
}
