"""`deploy.sh selftest`: the deployed pipeline drills a throwaway source, and everything is removed again."""
