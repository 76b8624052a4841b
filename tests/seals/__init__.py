"""What is posted is sealed, proved and checked."""
