"""What is done while the state lock is held."""
