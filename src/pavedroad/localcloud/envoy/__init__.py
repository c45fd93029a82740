"""The load balancers: a real Envoy, told over gRPC what to serve, and the health probes that steer it."""
