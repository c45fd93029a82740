"""Instances in networks of their own: a namespace each, and walls between them that security groups make."""
