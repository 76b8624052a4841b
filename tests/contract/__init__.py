"""The HTTP contract: what every operation keeps to, read from the OpenAPI document."""
