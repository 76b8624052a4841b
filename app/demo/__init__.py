"""A demo: the paper trail of a community, loaded once, with something left to do for every role."""
