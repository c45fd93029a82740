"""Instance refreshes: a group's instances are replaced, some at a time, by ones of another configuration."""
