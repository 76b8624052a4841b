"""Service kinds, earning rules, service records and their verification, through HTTP on both engines."""
