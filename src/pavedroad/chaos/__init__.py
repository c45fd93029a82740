"""What fails on purpose, so that nobody is surprised when it fails by itself."""
