"""The `paved` command line: a module a capability, over one small client of the HTTP API."""
