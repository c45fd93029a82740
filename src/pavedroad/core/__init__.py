"""Names, ids, errors, clock, randomness, places on disk, events: what every layer may use."""
