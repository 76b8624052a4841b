"""Weekly visits: plans, pairs, outcomes, overdue ones and escalations."""
