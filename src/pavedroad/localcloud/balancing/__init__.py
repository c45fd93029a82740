"""ELBv2, ours: application load balancers whose routes Envoy serves and whose targets the host probes."""
