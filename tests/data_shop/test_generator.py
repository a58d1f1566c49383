import hashlib
import random
from io import BytesIO

import pytest
from generate import SEED, write_shop
from shopgen import seen
from shopgen.draw import Draw
from shopgen.render import encode, render
from shopgen.samples import fresh, shop

BUILDERS = [
    lambda d, yes: seen.product_page(d, greyed=yes),
    lambda d, yes: seen.home_page(d, popup=yes),
    lambda d, yes: seen.parcel_photo(d, damaged=yes),
]


def test_the_text_part_comes_out_as_committed(tmp_path, shop_folder):
    write_shop(shop(SEED), tmp_path, pictures=False)
    for name in ("dialogues.jsonl", "truth/answers.jsonl", "truth/noise.jsonl"):
        assert (tmp_path / name).read_bytes() == (shop_folder / name).read_bytes(), name


@pytest.mark.parametrize("build", BUILDERS)
def test_what_is_seen_changes_no_word_and_no_place_of_a_word(build):
    for seed in range(30):
        lang = "zh" if seed % 2 else "en"
        plain, marked = (build(Draw(random.Random(seed), lang), yes) for yes in (False, True))
        assert plain.lines() == marked.lines()
        assert plain.items != marked.items


def test_fresh_samples_differ_by_seed_and_have_true_labels():
    first, second = fresh(60, 1), fresh(60, 2)
    assert fresh(60, 1) == first
    assert {s.turns for s in first if s.task == "shop-request"} != {
        s.turns for s in second if s.task == "shop-request"
    }
    assert all(sample.label == sample.truth for sample in first)


@pytest.mark.slow
def test_drawing_again_gives_the_committed_pixels(shop_folder):
    """Pixels, not files: another build of the WebP encoder may pack the same ones differently."""
    from PIL import Image

    wanted = [s for s in shop(SEED) if s.truth in ("home-popup", "parcel-damaged")][:2]
    for sample in wanted:
        picture = sample.pictures[0]
        drawn, kept = (
            Image.open(source).convert("RGB")
            for source in (BytesIO(encode(picture.screen)), shop_folder / "images" / picture.name)
        )
        assert hashlib.sha256(drawn.tobytes()).digest() == hashlib.sha256(kept.tobytes()).digest()


@pytest.mark.slow
@pytest.mark.parametrize("build", BUILDERS)
def test_what_is_seen_changes_the_picture(build):
    plain, marked = (render(build(Draw(random.Random(5), "en"), yes)) for yes in (False, True))
    assert plain.tobytes() != marked.tobytes()
