"""The import of a community's paper trail, through the same services as the API."""
