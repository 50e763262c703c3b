"""The layer under the ten functions; handlers enter it by `utils.aurora_utils`."""
