"""Auto Scaling: groups of instances that launch, spread, heal and shrink by themselves."""
