"""Rules driven without a database."""
