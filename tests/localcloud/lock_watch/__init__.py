"""What is done while the state lock is held: by a process of the API under watch, and by calls in a test's own."""
