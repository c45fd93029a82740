"""The private cloud: an AWS-compatible endpoint whose instances are real processes."""
