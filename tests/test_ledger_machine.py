"""The ledger in memory against a model that was written apart from it, for long."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger_machine import LedgerMachine


@pytest.mark.nightly
def test_the_ledger_agrees_with_the_model_for_long():
    """L1 to L7, L9, L12, L13: 10,000 runs of 50 steps end alike, answer by answer."""
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=10_000,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
