"""Who gets into the copy and what it calls outside: shut first, opened last."""
