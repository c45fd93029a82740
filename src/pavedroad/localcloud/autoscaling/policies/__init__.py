"""Scaling policies: what is asked of them, the alarms they own, and what they do when one goes off."""
