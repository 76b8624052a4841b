"""Activities (活动): what is organised, the positions that people fill in it, and the shifts on which they do."""
