"""Tide stalls: sites, their calendars, draws of pitches, and who is barred from them."""
