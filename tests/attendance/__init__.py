"""Attendance: the list, the desk, the code of the place, and what is submitted, on both engines."""
