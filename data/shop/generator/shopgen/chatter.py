"""What goes around a request: openings, small talk, what the service says; none of it tells the intent."""

from __future__ import annotations

from shopgen.lines import Lines

OPENERS: Lines = (
    ("你好,", "亲,", "请问", "那个,", "老板", "客服你好,", "Hi,", ""),
    ("hi, ", "hello, ", "hey there, ", "excuse me, ", "亲 ", "", "sorry, ", "good day, "),
)
CLOSERS: Lines = (
    ("", "谢谢", "麻烦了", "急", "单号{n}", "在线等", "哈", "订单{n}", "OK吗"),
    ("", "thanks", "cheers", "order {n}", "it is urgent", "thank you", "ok?", "no. {n}"),
)
SMALL_TALK: Lines = (
    (
        "在吗",
        "你好",
        "老板今天忙吗",
        "上次的{p}很好用",
        "{t}这边下雨了",
        "有人吗",
        "之前优惠券的事解决了,谢谢",
        "我朋友也在你家买",
        "哈喽",
        "刚才问物流的是我",
        "上回退货挺快的",
        "周末也上班呀",
    ),
    (
        "hi",
        "anyone there",
        "how are you",
        "the last {p} was great",
        "rainy day in {t}",
        "hello again",
        "the coupon works now, thanks",
        "my friend shops here too",
        "I asked about tracking before",
        "the last return was quick",
        "working on {d} too?",
    ),
)
SERVICE: Lines = (
    (
        "您好,请问有什么可以帮您",
        "亲,在的",
        "这边看一下,请稍等",
        "退款、退货、换货都可以在订单页申请",
        "需要发票请告诉我",
        "发货后物流会更新",
        "收到,订单{n}对吗",
        "优惠券用不了可以截图",
        "亲亲,什么时候方便",
        "",
    ),
    (
        "hello, how can I help",
        "one moment please",
        "you can ask for a refund, return or exchange in your orders",
        "tell me if you need an invoice",
        "tracking is updated once we ship",
        "is it order {n}",
        "send a picture if the coupon does not work",
        "",
        "yes?",
    ),
)
NUDGES: Lines = (
    ("在吗", "有人吗,麻烦快一点", "怎么不回", "等了好久了", "人呢", "看到了回我"),
    ("are you there", "anyone?", "please hurry", "still waiting", "hello?", "no answer?"),
)
THANKS: Lines = (("好的,马上为您处理", "请稍等", ""), ("right away", "one moment", ""))
