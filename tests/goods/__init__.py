"""The catalogue and its stock, through HTTP on both engines."""
