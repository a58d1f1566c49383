"""A server keeps what every backend promises, whatever it offers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kdsl_cli.backends.backend import Backend, Scored
from tests.backends.contract import CHOICES, SKY, BackendContract
from tests.backends.http.conftest import Open

pytestmark = pytest.mark.local

KEY = "sk-of-the-contract"


class TestHttp(BackendContract):
    @pytest.fixture(params=["likelihood", "choice-logprobs", "choice"])
    def offers(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (KEY,)

    @pytest.fixture
    def backend(
        self, offers: str, shop_url: Callable[[str], str], opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> Backend:
        monkeypatch.setenv("KDSL_API_KEY", KEY)
        return opened(shop_url(offers))

    def test_rows_say_which_way_they_were_scored(self, backend: Backend, offers: str) -> None:
        [row] = backend.score([SKY], CHOICES)
        assert isinstance(row, Scored)
        assert row.method == offers
