"""love-bank (爱心银行): a volunteer points ledger as a service."""
