"""Journeys through the whole service."""
