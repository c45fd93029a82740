"""The Resource Groups Tagging API over everything here that has tags."""
