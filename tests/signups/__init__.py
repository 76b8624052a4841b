"""Sign-ups to shifts: seats, waitlists, cancellations, standing ones and those of volunteers, on both engines."""
