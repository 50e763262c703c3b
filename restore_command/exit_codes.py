"""What the exit code of every command says."""

SUCCEEDED = 0  # for commands that show: it could be shown
FAILED = 1  # the run failed, was refused, or AWS could not be asked
USAGE = 2  # the command line or the request is wrong; nothing was started
RUNNING = 3  # the run goes on
INTERRUPTED = 130
