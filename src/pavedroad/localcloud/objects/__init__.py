"""S3: buckets, objects and their versions, uploads in parts, and what is set for each."""
