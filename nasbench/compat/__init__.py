"""Doors for other people's scripts: our tables behind the faces that other libraries know."""
