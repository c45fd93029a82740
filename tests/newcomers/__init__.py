"""What somebody new does: sets up, and types what the documentation says."""
