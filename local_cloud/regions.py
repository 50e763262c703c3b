"""The two Regions of the local cloud."""

SOURCE_REGION = "us-east-1"
TARGET_REGION = "us-west-2"
