resource "aws_s3_bucket" "store" {
  bucket        = "${var.name}-store-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
  tags          = { Name = "${var.name}-store" }
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id

  versioning_configuration {
    status = var.changed ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = aws_s3_bucket.store.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = var.changed
}

resource "aws_s3_bucket_server_side_encryption_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    bucket_key_enabled = var.changed

    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_acl" "store" {
  bucket     = aws_s3_bucket.store.id
  acl        = "private"
  depends_on = [aws_s3_bucket_ownership_controls.store]
}

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    id     = "old"
    status = "Enabled"

    filter {
      prefix = "logs/"
    }

    expiration {
      days = var.changed ? 60 : 30
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }
  }

  rule {
    id     = "parts"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }

  depends_on = [aws_s3_bucket_versioning.store]
}

resource "aws_s3_bucket_cors_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  cors_rule {
    allowed_headers = ["*"]
    allowed_methods = ["GET", "PUT"]
    allowed_origins = var.changed ? ["https://shop.example", "https://*.shop.example"] : ["https://shop.example"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3000
  }
}

resource "aws_s3_bucket_policy" "store" {
  bucket = aws_s3_bucket.store.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read${local.release}"
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.machines.arn }
      Action    = ["s3:GetObject"]
      Resource  = "${aws_s3_bucket.store.arn}/*"
    }]
  })
}

resource "aws_s3_bucket_notification" "store" {
  bucket = aws_s3_bucket.store.id

  queue {
    queue_arn     = aws_sqs_queue.uploads.arn
    events        = var.changed ? ["s3:ObjectCreated:Copy", "s3:ObjectCreated:Put"] : ["s3:ObjectCreated:*"]
    filter_prefix = "uploads/"
    filter_suffix = ".txt"
  }

  topic {
    topic_arn = aws_sns_topic.uploads.arn
    events    = ["s3:ObjectRemoved:Delete"]
  }

  depends_on = [aws_sqs_queue_policy.uploads, aws_sns_topic_policy.uploads]
}

resource "aws_sqs_queue" "uploads" {
  name = "${var.name}-uploads"
}

resource "aws_sqs_queue_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.uploads.arn
    }]
  })
}

resource "aws_sns_topic" "uploads" {
  name = "${var.name}-uploads"
}

resource "aws_sns_topic_policy" "uploads" {
  arn = aws_sns_topic.uploads.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.uploads.arn
    }]
  })
}

resource "aws_s3_object" "greeting" {
  bucket       = aws_s3_bucket.store.id
  key          = "uploads/greeting.txt"
  content      = "hello, edition ${local.release}\n"
  content_type = "text/plain"
  etag         = md5("hello, edition ${local.release}\n")
  metadata     = { edition = local.release }
  tags         = { Name = "greeting" }
  depends_on   = [aws_s3_bucket_versioning.store, aws_s3_bucket_notification.store]
}

resource "aws_s3_object_copy" "greeting" {
  bucket            = aws_s3_bucket.store.id
  key               = "copies/greeting.txt"
  source            = "${aws_s3_bucket.store.id}/${aws_s3_object.greeting.key}"
  tagging_directive = "REPLACE"
  tags              = { Name = "copy" }
}

resource "aws_s3_bucket" "site" {
  bucket_prefix = "${var.name}-site-"
  force_destroy = true
}

resource "aws_s3_bucket_website_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  index_document {
    suffix = "index.html"
  }

  error_document {
    key = var.changed ? "missing.html" : "error.html"
  }
}

resource "aws_s3_bucket_logging" "site" {
  bucket        = aws_s3_bucket.site.id
  target_bucket = aws_s3_bucket.store.id
  target_prefix = "access/"
}

data "aws_s3_bucket" "store" {
  bucket = aws_s3_bucket.store.id
}

data "aws_s3_object" "greeting" {
  bucket     = aws_s3_bucket.store.id
  key        = aws_s3_object.greeting.key
  depends_on = [aws_s3_object.greeting]
}
