"""Everything behind `make run`: the install, a Redis of its own, the processes side by side, and the sample's audit. Nothing here runs in production."""
