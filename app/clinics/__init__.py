"""Free clinics (义诊): held with partner organisations, and counted by heads alone."""
