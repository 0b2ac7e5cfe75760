"""How fast tinyrt runs in Python, next to what else runs the same models: `make bench`."""
