"""Hours: service kinds, earning rules, service records and their verification."""
