"""The AWS-compatible endpoint: wire protocols and state."""
