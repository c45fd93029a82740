"""The composition root: it builds the services, names the adapters, and runs the processes."""
