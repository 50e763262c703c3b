"""What a person sees: text in the width of the terminal, colours, one line that moves."""
