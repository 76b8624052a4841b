"""Beneficiaries (服务对象): the persons whom volunteers serve, most of them elders who live alone."""
