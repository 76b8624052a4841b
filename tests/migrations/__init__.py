"""The schema's history, and what the schema promises whatever the app does."""
