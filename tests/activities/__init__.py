"""Tests of activities, positions, series and shifts."""
