"""Redemptions (兑换): points for goods, reserved, then collected, cancelled or lapsed."""
