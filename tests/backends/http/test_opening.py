from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from kdsl_cli.backends.http.connection import Patience
from kdsl_cli.backends.http.http import open_http
from kdsl_cli.backends.opening import open_backend
from kdsl_cli.backends.spec import BackendOptions, HttpSpec
from kdsl_cli.errors import BackendError
from tests.backends.http.conftest import Open

pytestmark = pytest.mark.local

Url = Callable[[str], str]


def test_the_identity_is_address_name_and_card_but_not_when_the_server_started(
    shop_url: Url, opened: Open
) -> None:
    url = shop_url("choice")
    assert dict(opened(url).identity) == {
        "kind": "http",
        "version": "1",
        "url": url,
        "model": "shop",
        "max_pixels": "401408",
        "owned_by": "shop",
    }


def test_revisions_and_image_budgets_share_no_identity(shop_url: Url, opened: Open) -> None:
    url = shop_url("choice")
    models = [opened(url), opened(url, revision="2"), opened(url, revision="3"), opened(url, max_pixels=99)]
    identities = [dict(model.identity) for model in models]
    assert all(identities.count(identity) == 1 for identity in identities)
    assert models[1].spec == f"http:{url}#shop@2"


def test_a_spec_opens_it(shop_url: Url) -> None:
    model = open_backend(f"http:{shop_url('choice')}#shop@2", BackendOptions())
    assert model.identity["revision"] == "2"
    model.close()


def test_an_unknown_model_is_told_with_those_that_are_there(shop_url: Url, opened: Open) -> None:
    with pytest.raises(BackendError, match=r"serves no model 'shoq'. Allowed: shop. Did you mean 'shop'\?"):
        opened(shop_url("choice"), "shoq")


def test_a_server_that_is_not_there_may_be_later(opened: Open) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    with pytest.raises(BackendError, match="cannot be reached") as caught:
        opened(url)
    assert caught.value.retryable
    assert url in str(caught.value)
    assert "Start the server" in str(caught.value)


def test_a_wrong_path_says_where_the_protocol_begins(shop_url: Url, opened: Open) -> None:
    with pytest.raises(BackendError, match="mostly in /v1"):
        opened(shop_url("choice").removesuffix("/v1"))


@pytest.mark.parametrize("url", ["http://me:sk-1@host/v1", "http://host/v1?api_key=sk-1"])
def test_a_key_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BackendError, match="KDSL_API_KEY") as caught:
        open_http(HttpSpec(url, "shop"), BackendOptions(), Patience(attempts=1))
    assert "sk-1" not in str(caught.value)
