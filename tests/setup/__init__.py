"""Tests of what sets the project up and starts its test database."""
