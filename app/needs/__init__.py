"""Needs (需求) and complaints (投诉) of residents: they become activities or are answered, and who asked is told."""
