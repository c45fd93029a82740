"""AutoScaling: groups whose instances are launched, spread, healed, drained and counted."""
