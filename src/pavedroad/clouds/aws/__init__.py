"""The cloud port over boto3: AWS, and everything that speaks its API."""
