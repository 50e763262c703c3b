"""What is longer than AWS takes is cut and says so; what fits stays whole."""

from utils.shortened import MOST_NAMES, first_of, joined, shortened_proofs


def test_as_many_names_as_fit_are_all_there_is_to_say() -> None:
    assert first_of(["a", "b"], 2) == "a, b"
    assert first_of(["a", "b", "c"], 2) == "a, b, and 1 more"
    assert joined([], [f"name-{number:02}" for number in range(MOST_NAMES)])[-1] == f"name-{MOST_NAMES - 1}"


def test_a_proof_is_cut_only_if_it_is_longer_than_its_line() -> None:
    proofs = {"app": ["x" * 1000, "y" * 1001]}
    assert shortened_proofs(proofs) == {"app": ["x" * 1000, "y" * 1000 + "..."]}
