"""What every feature stands on: database, heads, rows, keys, jobs, secrets, settings."""
