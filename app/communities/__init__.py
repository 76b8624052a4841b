"""Communities (社区), the tenants, and their settings."""
