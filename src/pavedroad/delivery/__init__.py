"""Applications, clusters and server groups: deploy, enable, disable, resize, roll back, destroy."""
