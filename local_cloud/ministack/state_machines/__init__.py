"""Step Functions as AWS has it: what may be invoked, how executions end, what waits for a person."""
