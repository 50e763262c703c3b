"""The shared layer of the Aurora Restore Pipeline; its front door is `utils.aurora_utils`."""
