"""Tide stalls (潮汐摊位): sites that open when footfall is high, with numbered pitches that cost nothing."""
