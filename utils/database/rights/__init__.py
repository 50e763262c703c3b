"""What each role may do with which object, now and later, and who owns it."""
