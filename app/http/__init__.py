"""HTTP: problem documents, who calls, keys, limits. It knows no feature."""
