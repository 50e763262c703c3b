"""What AWS refuses and ministack 1.5.33 takes: forms, sizes, names that are taken, stacks that failed."""
