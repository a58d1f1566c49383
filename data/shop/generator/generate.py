"""Makes the shop: `python data/shop/generator/generate.py --out data/shop`.

`--text-only` leaves the pictures alone. `--evidence-only N --seed S` writes N fresh samples with the evidence
a perfect reader would give, and draws nothing: for scoring rules on thousands of samples.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from shopgen.output import answers, dialogue, evidence, jsonl, noise
from shopgen.render import encode
from shopgen.samples import Sample, fresh, shop

SEED = 20


def write_shop(samples: tuple[Sample, ...], out: Path, *, pictures: bool) -> None:
    """Write dialogues, answers and wrong labels, and the pictures if asked for."""
    (out / "truth").mkdir(parents=True, exist_ok=True)
    (out / "dialogues.jsonl").write_text(jsonl(map(dialogue, samples)), encoding="utf-8")
    (out / "truth" / "answers.jsonl").write_text(jsonl(map(answers, samples)), encoding="utf-8")
    (out / "truth" / "noise.jsonl").write_text(jsonl(noise(samples)), encoding="utf-8")
    if not pictures:
        return
    (out / "images").mkdir(exist_ok=True)
    for picture in {picture.name: picture for sample in samples for picture in sample.pictures}.values():
        (out / "images" / picture.name).write_bytes(encode(picture.screen))


def write_fresh(samples: tuple[Sample, ...], out: Path) -> None:
    """Write `dialogues.jsonl` and `evidence.jsonl`, one fact a line; the pictures they name do not exist."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "dialogues.jsonl").write_text(jsonl(map(dialogue, samples)), encoding="utf-8")
    (out / "evidence.jsonl").write_text(
        jsonl(row for sample in samples for row in evidence(sample)), encoding="utf-8"
    )


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--text-only", action="store_true", help="write no picture")
    parser.add_argument(
        "--evidence-only", type=int, metavar="N", help="write N fresh samples and their evidence"
    )
    given = parser.parse_args()
    if given.evidence_only is not None:
        write_fresh(fresh(given.evidence_only, given.seed), given.out)
    else:
        write_shop(shop(given.seed), given.out, pictures=not given.text_only)


if __name__ == "__main__":
    main()
