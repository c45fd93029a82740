"""The platform's database: one engine, its sessions and its migrations. SQLite by default, Postgres by URL."""
