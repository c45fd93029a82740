"""The platform's database: a SQLite file by default, Postgres by URL."""
