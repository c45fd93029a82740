"""Images from folders: recipe -> key -> layers -> image."""
