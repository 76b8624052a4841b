"""Seals what was posted in a tree that anybody can check: checkpoints, proofs, receipts, and who else signed them."""
