"""The RDS query protocol, driven by botocore's service model."""
