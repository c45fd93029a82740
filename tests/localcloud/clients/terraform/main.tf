# What a team writes: nothing here knows of the private cloud; the endpoint and the key come from the environment.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  default_tags {
    tags = {
      Project = var.name
      Release = local.release
    }
  }
}

variable "name" {
  type    = string
  default = "shop"
}

variable "changed" {
  description = "Whether the second edition of everything is wanted."
  type        = bool
  default     = false
}

variable "public_key" {
  type = string
}

variable "certificate" {
  type = string
}

variable "private_key" {
  type      = string
  sensitive = true
}

locals {
  release = var.changed ? "2" : "1"
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

data "aws_ami" "amazon" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["amzn2-ami-hvm-*-x86_64-*"]
  }
}
