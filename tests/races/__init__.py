"""Requests that meet: real commits of many at once, on both engines and through more than one instance."""
