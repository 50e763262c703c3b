"""What deploy.sh does: prerequisites, pipeline, checks of both."""
