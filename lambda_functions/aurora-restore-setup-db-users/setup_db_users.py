"""Reset the master password, set up the database users, shut out the others, prove each login."""

from utils.aurora_utils import Operation, Services, StepName, StepResult, operation_step, setup_db_users


@operation_step(StepName.SETUP_DB_USERS)
def handler(operation: Operation, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return setup_db_users(operation, services)
