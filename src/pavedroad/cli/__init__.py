"""The `paved` command: one module a capability, over one small client of the HTTP API."""
