"""What was there before the stacks, made by hand or left by an earlier one: taken over with all that is in it."""
