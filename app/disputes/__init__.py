"""Disputes (申诉): volunteers contest a service record or a posting, and a manager answers."""
