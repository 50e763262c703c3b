"""What a run costs: the looks of each phase are those of the real polling, the prices are AWS's for us-east-1.

Prices in USD: https://aws.amazon.com/step-functions/pricing/, https://aws.amazon.com/lambda/pricing/ and
https://aws.amazon.com/dynamodb/pricing/on-demand/.
"""

from utils.runtime.waiting import seconds_until_next_look

TRANSITION = 0.025 / 1000
LAMBDA_GB_SECOND = 0.0000133334
LAMBDA_REQUEST = 0.20 / 1_000_000
DYNAMODB_WRITE = 0.625 / 1_000_000

MEMORY_GB = 0.5
SECONDS_OF_A_STEP = 1.0
SECONDS_OF_THE_USERS = 60.0
STATES_OF_A_LOOK = 3  # Wait, check, Choice
STATES_BESIDE_THE_LOOKS = 20
STEPS_BESIDE_THE_LOOKS = 10
WRITES_OF_A_STEP = 4  # two audit rows, the operation's row twice
RUNS = (
    ("a small cluster within the Region: copy 5 min, delete 15 min, restore 20 min", (300, 900, 1200)),
    ("100 GiB across Regions: copy 1 h, delete 20 min, restore 40 min", (3600, 1200, 2400)),
    ("10 TiB across Regions: copy 30 h, delete 1 h, restore 3 h", (108_000, 3600, 10_800)),
)
HEADER = [
    "| Run | Looks | Transitions | Step Functions | Lambda | DynamoDB | Together |",
    "|---|--:|--:|--:|--:|--:|--:|",
]


def costs_table() -> str:
    """Return a row for each example run."""
    return "\n".join([*HEADER, *(_row(name, phases) for name, phases in RUNS)])


def looks_in(phase_seconds: float) -> int:
    """Return how often a phase that tells no progress is looked at."""
    elapsed, looks = 0.0, 0
    while elapsed < phase_seconds:
        elapsed += seconds_until_next_look(elapsed)
        looks += 1
    return looks


def _row(name: str, phases: tuple[int, ...]) -> str:
    looks = sum(looks_in(seconds) for seconds in phases)
    steps = looks + STEPS_BESIDE_THE_LOOKS
    transitions = looks * STATES_OF_A_LOOK + STATES_BESIDE_THE_LOOKS
    gb_seconds = (steps * SECONDS_OF_A_STEP + SECONDS_OF_THE_USERS) * MEMORY_GB
    parts = (
        transitions * TRANSITION,
        gb_seconds * LAMBDA_GB_SECOND + steps * LAMBDA_REQUEST,
        steps * WRITES_OF_A_STEP * DYNAMODB_WRITE,
    )
    cells = [name, str(looks), str(transitions), *(f"${part:.4f}" for part in parts), f"${sum(parts):.4f}"]
    return f"| {' | '.join(cells)} |"
