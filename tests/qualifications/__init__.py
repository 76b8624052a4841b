"""Qualifications of volunteers: checked in, asked for, revoked."""
