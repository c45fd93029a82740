"""Classic load balancers, of Elastic Load Balancing's API of 2012, on the balancing of the newer ones."""
