"""The operator's command, `./restore.sh`: starts, watches and shows operations of a deployed pipeline."""
