"""The health of the copy: what it brings along that stops a set-up, or that somebody should know of."""
