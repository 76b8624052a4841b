"""Tests of the commands, with real processes."""
