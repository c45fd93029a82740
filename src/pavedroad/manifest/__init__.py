"""`paved.yaml`: the model, its JSON Schema, and errors that name file, line and field."""
