"""The composition root: settings, the supervisor of processes, and the control process with its HTTP API."""
