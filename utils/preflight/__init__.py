"""Every check before anything is destroyed: each passes, warns or fails, and all that fails is named at once."""
