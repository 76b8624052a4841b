"""Free clinics: partners, clinics as activities, and head-counts."""
