"""Reset the master password, set up the database users, shut out the others, prove each login."""

from utils.aurora_utils import Services, StepEvent, StepName, StepResult, on_operation, setup_db_users, step


@step(StepName.SETUP_DB_USERS)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Run the step on the operation that the event names."""
    return on_operation(event, services, setup_db_users)
