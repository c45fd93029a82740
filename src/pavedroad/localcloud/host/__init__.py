"""The host: it runs instances as process groups, probes them, serves IMDS, and steers Envoy."""
