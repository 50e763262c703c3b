"""`deploy.sh verify`: the checks of a deployment, and what to do about each."""
