"""Who calls: signatures of requests, as AWS checks them, and the keys that they are made with."""
