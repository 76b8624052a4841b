"""Goods (商品) and their stock (库存)."""
