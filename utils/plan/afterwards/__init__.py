"""How long the restored cluster is wanted: a drill, what is said of it in the plan, and changes of that later."""
