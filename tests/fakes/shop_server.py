"""An OpenAI-compatible server that plays a small multimodal model for the generated shop.

    python tests/fakes/shop_server.py --port 0 --wrong 0.1

It prints its address and serves until it is ended. ``--offers`` chooses what it can do of what servers can:
`likelihood` as vLLM does, `choice-logprobs` as servers with structured outputs do, `choice` as the simplest.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from shop_model import ShopModel, Shown

OFFERS = ("likelihood", "choice-logprobs", "choice")
NAME = "shop"
PICTURE_TOKENS = 256
END = "<|im_end|>"
KNOWN = {"model", "messages", "temperature", "max_tokens", "seed"}

Body = Mapping[str, Any]


class Refused(Exception):
    """A request that this server does not understand."""


class Server(ThreadingHTTPServer):
    """Holds the model and counts what it is asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, model: ShopModel, offers: str, latency_s: float) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.model, self.offers, self.latency_s = model, offers, latency_s

    def complete(self, body: Body) -> dict[str, Any]:
        """Return the answer to a request for a completion."""
        time.sleep(self.latency_s)
        if body.get("model") != NAME:
            raise Refused(f"no model {body.get('model')!r}")
        if self.offers == "choice" and (unknown := set(body) - KNOWN):
            raise Refused(f"Unexpected fields in the request: {sorted(unknown)}")
        parts = shown(body["messages"])
        if self.offers == "likelihood" and body.get("prompt_logprobs") is not None:
            return self._of_prompt(body, parts)
        choices = held_to(body)
        if choices:
            return self._choice(body, parts, choices)
        asked_for_rule = "response_format" in body or any("JSON" in part.text for part in parts)
        if asked_for_rule:
            rewording = any('"wordings"' in part.text for part in parts)
            wanted = self.model.rewording if rewording else self.model.proposal
            text = wanted(parts, int(body.get("seed", 0)))
        else:
            text = "Yes." if self.model.log_odds(parts) > 0 else "No."
        return completion(parts, [(token, -0.1, ()) for token in tokens(text)], body)

    def _of_prompt(self, body: Body, parts: Sequence[Shown]) -> dict[str, Any]:
        """Answer as vLLM does where it is asked for the log-probabilities of the prompt's tokens."""
        said = body["messages"][-1]
        told: list[tuple[str, float]] = [(f"w{i}", -1.0) for i in range(prompt_length(parts))]
        if said["role"] == "assistant":
            parts = shown(body["messages"][:-1])
            told = [(f"w{i}", -1.0) for i in range(prompt_length(parts))]
            first, *rest = tokens(said["content"])
            told += [(first, self.model.logprob(parts, said["content"])), *((token, -0.0) for token in rest)]
            told += [] if body.get("continue_final_message") else [(END, -0.01), ("\n", -2.0)]
        answer = completion(parts, [("x", -1.0, ())], body)
        entries = [{str(i): {"logprob": p, "rank": 1, "decoded_token": t}} for i, (t, p) in enumerate(told)]
        answer["usage"]["prompt_tokens"] = len(told)
        return {**answer, "prompt_logprobs": [None, *entries[1:]]}

    def _choice(self, body: Body, parts: Sequence[Shown], choices: Sequence[str]) -> dict[str, Any]:
        """Answer with the likeliest choice; at its first token stand those of the others."""
        scores = {choice: self.model.logprob(parts, choice) for choice in choices}
        best = max(scores, key=lambda choice: scores[choice])
        first, *rest = tokens(best)
        others = [(tokens(choice)[0], score) for choice, score in scores.items()]
        steps = [(first, scores[best], others), *((token, -0.0, ()) for token in rest)]
        if "response_format" in body:
            before, after = ('{"', "answer", '":', ' "'), ('"}',)
            steps = [*((t, 0.0, ()) for t in before), *steps, *((t, 0.0, ()) for t in after)]
        return completion(parts, steps, body)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            card = {"id": NAME, "object": "model", "created": int(time.time()), "owned_by": "shop"}
            self._send(200, {"object": "list", "data": [card]})
        else:
            self._send(404, {"error": {"message": f"no {self.path}"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/chat/completions":
            self._send(404, {"error": {"message": f"no {self.path}"}})
            return
        try:
            answer = self.server.complete(json.loads(body))
        except Refused as error:
            self._send(400, {"error": {"message": str(error)}})
        else:
            self._send(200, answer)

    def _send(self, status: int, body: Any) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tests read what is printed."""


def shown(messages: Sequence[Body]) -> tuple[Shown, ...]:
    """Return what the user's messages show."""
    parts: list[Shown] = []
    for message in messages:
        if message["role"] != "user":
            continue
        content = message["content"]
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if part["type"] == "text":
                parts.append(Shown(text=part["text"].strip("\n")))
            else:
                data = base64.b64decode(part["image_url"]["url"].partition("base64,")[2])
                parts.append(Shown(picture=hashlib.sha256(data).hexdigest()))
    return tuple(parts)


def held_to(body: Body) -> tuple[str, ...]:
    """Return the choices that the answer is held to, if it is."""
    if "structured_outputs" in body:
        return tuple(body["structured_outputs"]["choice"])
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return tuple(schema.get("properties", {}).get("answer", {}).get("enum", ()))


def tokens(text: str) -> list[str]:
    """Return a text in pieces, as a tokenizer might."""
    return re.findall(r"\w+|[^\w]", text) or [""]


def prompt_length(parts: Sequence[Shown]) -> int:
    return 8 + sum(len(tokens(part.text)) if part.text else PICTURE_TOKENS for part in parts)


def completion(
    parts: Sequence[Shown], steps: Sequence[tuple[str, float, Sequence[tuple[str, float]]]], body: Body
) -> dict[str, Any]:
    """Return an answer made of tokens, each with its log-probability and what else might stand there."""
    kept = steps[: int(body.get("max_tokens") or 16)]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(token for token, _, _ in kept)},
        "finish_reason": "stop" if len(kept) == len(steps) else "length",
    }
    if body.get("logprobs"):
        content = [
            {"token": token, "logprob": p, "top_logprobs": [{"token": t, "logprob": q} for t, q in likely]}
            for token, p, likely in kept
        ]
        choice["logprobs"] = {"content": content}
    usage = {"prompt_tokens": prompt_length(parts), "completion_tokens": len(kept)}
    return {"object": "chat.completion", "model": NAME, "choices": [choice], "usage": usage}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--shop", type=Path, default=Path(__file__).parents[2] / "data" / "shop")
    parser.add_argument("--wrong", type=float, default=0.1, help="share of answers that are wrong")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--offers", choices=OFFERS, default="choice-logprobs")
    asked = parser.parse_args()
    model = ShopModel(asked.shop, wrong=asked.wrong, seed=asked.seed)
    server = Server(asked.port, model, asked.offers, asked.latency_ms / 1000)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
