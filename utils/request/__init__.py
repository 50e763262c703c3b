"""What was asked: the model of a request and its validation; needs no AWS SDK."""
