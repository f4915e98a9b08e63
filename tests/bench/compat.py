"""The drop-in dialects."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from ..service import Service, wait_until
from .measuring import TWITTER, load, need, p99, take_turns, texts


def compat(folder: Path) -> Iterator[tuple]:
    need(TWITTER)
    posts = texts()
    bodies = folder / "bodies"
    wanted = {"IDENTITY_ATTACK": {}, "TOXICITY": {}}
    bodies.write_text("\n".join(json.dumps({"comment": {"text": text}, "requestedAttributes": wanted}) for text in posts) + "\n")
    with Service(folder / "service", {"HATE_SPEECH_ENGINE": "encoder", "WEB_CONCURRENCY": "2"}) as service:
        service.migrate()
        assert service.manage("exec_train").returncode == 0
        service.start("web")

        def post_one_by_one() -> float:
            began = time.perf_counter()
            for text in posts[:96]:
                assert service.client.post("/v1/moderations", json={"input": text}).status_code == 200
            return 96 / (time.perf_counter() - began)

        def post_lists() -> float:
            began = time.perf_counter()
            for at in range(0, 96, 32):
                assert service.client.post("/v1/moderations", json={"input": posts[at : at + 32]}).status_code == 200
            return 96 / (time.perf_counter() - began)

        lists, single = take_turns(post_lists, post_one_by_one)
        yield (
            "/v1/moderations with 32 strings, texts/s",
            f"32 single calls {single:,.0f}",
            f"{lists:,.0f}",
            lists / single,
            3,
            "x",
        )

        def load_once() -> float:
            return p99(load(f"{service.url}/v1alpha1/comments:analyze", "post.lua", 10, connections=8, BODIES=str(bodies)))

        quiet = load_once()
        # Every text is new to the encoder, so this training lasts longer than the load does.
        assert service.manage("import_tweets", str(TWITTER)).returncode == 0
        service.start("worker")
        run = service.client.post("/train").json()["run"]
        wait_until(lambda: service.client.get(f"/train/{run}").json()["percent"] > 0, 60, "the training")
        during = load_once()
        assert service.client.get(f"/train/{run}").json()["stage"] == "reading"
        yield "p99 of comments:analyze while training, ms", f"without it {quiet:.1f}", f"{during:.1f}", during, -200, " ms"
