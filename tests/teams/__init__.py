"""Embedded teams: who serves on them, where they are posted, and who sees it."""
