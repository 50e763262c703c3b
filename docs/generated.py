"""Which parts of the documentation are generated, and by what."""

from collections.abc import Callable

from docs.blocks import Block
from docs.costs_table import costs_table
from docs.permissions_table import permissions_table
from docs.request_table import first_fields_table, request_table
from docs.state_machine_picture import picture

GENERATED: dict[Block, Callable[[], str]] = {
    Block("README.md", "request-table"): first_fields_table,
    Block("docs/request.md", "request-table"): request_table,
    Block("docs/02_lambda_implementation.md", "permissions-table"): permissions_table,
    Block("docs/costs.md", "costs-table"): costs_table,
    Block("docs/03_step_functions_implementation.md", "state-machine"): picture,
}
