"""Small changes to the product, a sample of them, and whether a test notices each."""
