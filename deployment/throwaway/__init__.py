"""What is made in an account for a while: waiting for it, and removing all of it, also after Ctrl-C."""
