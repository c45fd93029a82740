"""One builder a kind: each turns a work folder into layers."""
