"""Where the data come from: the snapshot that a run takes of its source, and the call that restores."""
