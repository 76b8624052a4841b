"""Transfers of points: gifts (转赠) to another volunteer and donations (捐赠) to the community's pool."""
