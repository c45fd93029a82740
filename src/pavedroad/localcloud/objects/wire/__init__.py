"""S3 on the wire: requests as operations with parameters, and results as answers, by botocore's model."""
