"""Benchmarks: how fast the service is through HTTP, as ratios to peers measured in the same run."""
