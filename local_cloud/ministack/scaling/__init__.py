"""Application Auto Scaling for the readers of Aurora clusters, which ministack does not have."""
