"""Rules over the code itself."""
