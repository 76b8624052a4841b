"""Embedded teams (组团式下沉服务队): members of the city's departments, posted to communities."""
