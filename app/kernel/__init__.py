"""What every feature stands on: transactions, keys, jobs, time. It knows no feature and no HTTP."""
