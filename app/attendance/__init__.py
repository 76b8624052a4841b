"""Attendance: who came to a shift, from when to when, and what is recorded of it."""
