"""Redemptions from reservation to collection, cancellation or lapse, on both engines."""
