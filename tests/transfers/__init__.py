"""Gifts and donations of points, on both engines."""
