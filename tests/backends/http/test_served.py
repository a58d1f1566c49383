"""Real servers: `transformers serve` on the tiny checkpoint, and any other that the environment names.

    KDSL_TEST_SERVER=http://localhost:8000/v1#MODEL pytest -m local tests/backends/http/test_served.py

The checkpoint has random weights, so what it writes is no choice: `transformers serve`, which knows neither
structured outputs nor log-probabilities, scores nothing with it, and says so row by row.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kdsl_cli.backends.backend import Backend, Failed, Generated, Sampling
from kdsl_cli.backends.opening import open_backend
from kdsl_cli.backends.spec import BackendOptions
from kdsl_cli.commands.models.tiny_model import shop_texts
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.runs.hashing import sha256_file
from tests.backends.contract import (
    CHOICES,
    GRASS,
    REFUND,
    SAMPLING,
    SKY,
    BackendContract,
    texts,
)

pytestmark = [pytest.mark.local, pytest.mark.slow]

NAMED = os.environ.get("KDSL_TEST_SERVER", "")
COMMIT = "0" * 40
STARTS_WITHIN_S = 120
MAX_PIXELS = 30_000


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kdsl_cli.backends.local.tiny import build

    return build(tmp_path_factory.mktemp("models") / "tiny", shop_texts())


@pytest.fixture(scope="session")
def served(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the checkpoint as ``kdsl/tiny``: the server lists what lies in the cache of the hub."""
    hub = tmp_path_factory.mktemp("hub")
    entry = hub / "models--kdsl--tiny"
    shutil.copytree(checkpoint, entry / "snapshots" / COMMIT)
    (entry / "blobs").mkdir()
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(COMMIT, "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    command = [program, "serve", "kdsl/tiny", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1"}
    log = hub / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        _await(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1#kdsl/tiny"
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < ends:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text('utf-8')[-2000:]}")


class TestTransformersServe(BackendContract):
    @pytest.fixture
    def backend(self, served: str) -> Iterator[Backend]:
        backend = open_backend(served, BackendOptions(max_pixels=MAX_PIXELS, timeout_s=60))
        yield backend
        backend.close()

    def test_the_card_is_part_of_the_identity(self, backend: Backend) -> None:
        assert backend.identity["model"] == "kdsl/tiny"
        assert backend.identity["owned_by"] == "kdsl"

    def test_it_writes_what_the_checkpoint_writes_here(
        self, backend: Backend, checkpoint: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.png"
        Image.new("RGB", (140, 112), "red").save(path)  # of a size that neither side changes
        picture = Picture(path, sha256_file(path))
        options = BackendOptions(quant="none", max_pixels=MAX_PIXELS, device="cpu")
        here = open_backend(f"local:{checkpoint}", options)
        prompts = [SKY, Prompt("", ("客户:", picture, "What is this?")), GRASS, REFUND]
        # The server strips the texts it gives out.
        expected = [text.strip() for text in texts(here.generate(prompts, SAMPLING))]
        assert texts(backend.generate(prompts, SAMPLING)) == expected
        here.close()

    def test_a_schema_that_it_cannot_hold_to_stops_nothing(self, backend: Backend) -> None:
        [row] = backend.generate([SKY], Sampling(max_tokens=4, schema='{"type": "object"}'))
        assert isinstance(row, Generated)

    def test_a_text_that_is_no_choice_is_a_failure_and_no_guess(self, backend: Backend) -> None:
        [row] = backend.score([SKY], CHOICES)
        assert isinstance(row, Failed)
        assert "none of the choices" in row.reason

    # What the contract says of scores needs a model that answers, or a server that holds it to choices.
    test_scores_come_in_the_order_of_their_prompts = None
    test_each_choice_has_a_score_as_far_as_the_method_tells = None
    test_scores_follow_their_choices = None
    test_a_picture_that_cannot_be_shown_fails_its_own_row_alone = None


@pytest.mark.skipif(not NAMED, reason="KDSL_TEST_SERVER names no server")
class TestNamedServer(BackendContract):
    tolerance = 0.05

    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        backend = open_backend(NAMED, BackendOptions(timeout_s=120))
        yield backend
        backend.close()
