"""Weekly visits (每周探访): a pair of volunteers for a person served, what came of each visit, and who was missed."""
