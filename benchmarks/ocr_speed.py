"""How fast and how well phone screens are read, by longest side and by number of processes.

Draws its own screens (720 x 1560 pixels, 25 lines of Chinese shop talk of 14 to 36 pixels, JPEG quality
60), so what should be read is known. Speeds are compared within one run, as ratios to the first row of
each part: other machines, and this one when busy, give other figures. Needs a font with Chinese letters.

    python benchmarks/ocr_speed.py --screens 20 --out build/ocr_speed.parquet
"""

from __future__ import annotations

import argparse
import difflib
import io
import random
import tempfile
import time
from pathlib import Path

import polars as pl

from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.evidence.extract import find_pictures, read_into, reading_task, seen_in, to_read
from kdsl_cli.evidence.ocr import MAX_SIDE, Reader, engine_id
from kdsl_cli.evidence.store import Store

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
WORDS = """
退款成功 退货退款 仅退款 申请售后 物流信息 派送中 待取件 快递单号 订单编号 实付款 优惠券 满减活动 七天无理由
运费险 确认收货 待评价 追加评价 商品详情 加入购物车 立即购买 店铺首页 联系客服 收货地址 修改地址 发票抬头
电子发票 支付方式 花呗分期 红包抵扣 尾款未付 定金已付 预售商品 现货速发 尺码推荐 颜色分类 库存不足 已下架
平台介入 举报商家 投诉处理 签收异常 包裹破损 补发商品 换货申请 验证码 账户余额 会员中心 积分兑换 领取成功
"""
LIGHT, DARK = ((255, 255, 255), (245, 245, 245)), ((255, 80, 0), (38, 38, 42))
SIDES = (640, 800, MAX_SIDE, 1280, 1600)


def draw_screen(rng: random.Random, font_path: str, lines: int = 25) -> tuple[bytes, str]:
    """Return one screen as JPEG bytes, and the text that stands on it from top to bottom."""
    from PIL import Image, ImageDraw, ImageFont

    words = WORDS.split()
    picture = Image.new("RGB", (720, 1560), LIGHT[1])
    pen = ImageDraw.Draw(picture)
    written = []
    step = 1520 // lines
    for number in range(lines):
        dark = rng.random() < 0.2
        ink = "white" if dark else rng.choice(((30, 30, 30), (30, 30, 30), (170, 170, 170)))
        top = 20 + number * step
        pen.rectangle((0, top, 720, top + step - 4), fill=rng.choice(DARK if dark else LIGHT))
        text = "".join(rng.sample(words, rng.choice((0, 1, 1, 2, 3))))
        if not text or rng.random() < 0.4:
            text += f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02d}"
        font = ImageFont.truetype(font_path, rng.choice((14, 16, 18, 20, 22, 24, 28, 32, 36)))
        pen.text((24, top + 6), text, font=font, fill=ink)
        written.append(text)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=60)
    return out.getvalue(), "".join(written)


def agreement(read: str, written: str) -> float:
    """Share of letters in order that both texts have, 0 to 1."""
    return difflib.SequenceMatcher(None, read, written, autojunk=False).ratio()


def by_side(screens: list[tuple[bytes, str]]) -> list[dict[str, object]]:
    """Read all screens in this process at each longest side; seconds of one core, whatever else runs."""
    rows = []
    for side in SIDES:
        reader = Reader(max_side=side)
        reader.read(screens[0][0])  # the first one also loads the models
        start = time.process_time()
        texts = ["".join(line.text for line in reader.read(data)) for data, _ in screens]
        seconds = time.process_time() - start
        quality = sum(agreement(text, screen[1]) for text, screen in zip(texts, screens, strict=True))
        rows.append(_row("max_side", side, len(screens), seconds, quality / len(screens)))
    return rows


def by_workers(screens: list[tuple[bytes, str]], counts: list[int]) -> list[dict[str, object]]:
    """Read all screens with so many processes, their start included; seconds of the clock."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number, (data, _) in enumerate(screens):
            (root / f"{number}.jpg").write_bytes(data)
        names = tuple(f"{number}.jpg" for number in range(len(screens)))
        pictures = find_pictures([Dialogue("all", "t", (Turn("customer", "", names),))], root)
        engine = engine_id()
        for count in counts:
            with Store(root / f"{count}.jsonl") as store:
                start = time.perf_counter()
                read_into(store, to_read(pictures, store, engine), reading_task(MAX_SIDE), workers=count)
                seconds = time.perf_counter() - start
                seen = seen_in(pictures, store, engine)
            texts = ["".join(line.text for line in seen[root / name].lines) for name in names]
            quality = sum(agreement(text, screen[1]) for text, screen in zip(texts, screens, strict=True))
            rows.append(_row("processes", count, len(screens), seconds, quality / len(screens)))
    return rows


def _row(part: str, setting: int, screens: int, seconds: float, quality: float) -> dict[str, object]:
    return {
        "part": part,
        "setting": setting,
        "screens": screens,
        "seconds": round(seconds, 2),
        "screens_per_second": round(screens / seconds, 3),
        "text_agreement": round(quality, 4),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--screens", type=int, default=20)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--font", default=FONT)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    rng = random.Random(given.seed)
    screens = [draw_screen(rng, given.font) for _ in range(given.screens)]
    frame = pl.DataFrame(by_workers(screens, given.workers) + by_side(screens))
    speed = pl.col("screens_per_second")
    frame = frame.with_columns((speed / speed.first().over("part")).round(2).alias("ratio"))
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True):
        print(frame)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(given.out)


if __name__ == "__main__":
    main()
