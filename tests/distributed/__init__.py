"""The database spread over nodes by community, as far as a plain PostgreSQL can tell."""
