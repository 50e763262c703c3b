"""The settings of a target at AWS: read from its answers, told in its parameters, and what hangs on the cluster."""
