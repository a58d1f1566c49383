"""What customers ask for, by intent and language.

`{p}` a product, `{c}` a colour, `{d}` a day, `{t}` a city, `{n}` a number, `{k}` a company. The words that
tell intents apart are planted (see `truth/shop-request.yaml`): many stand in other intents' lines too,
alone, or in someone else's turn.
"""

from __future__ import annotations

Lines = tuple[tuple[str, ...], tuple[str, ...]]

CORES: dict[str, Lines] = {
    "refund-only": (
        (
            "{p}我想申请退款",
            "不想要了,直接退款吧",
            "还没收到{p},给我退款",
            "买错了{p},能不能退款",
            "{d}拍的多了一件,退款就行",
            "卖家一直没动静,我要退款",
            "{p}没货的话就退款",
        ),
        (
            "I want a refund for the {p}",
            "just refund me please, no {p} needed",
            "ordered the {p} by mistake, can I get a refund",
            "please refund the {p} from {d}",
            "never got it, so refund the {p}",
        ),
    ),
    "return-goods": (
        (
            "{p}不合适,想退货",
            "怎么退货退款,{p}和图片不一样",
            "收到{p}有色差,要退货",
            "退货的话运费谁出",
            "{d}买的{p}能退货吗",
            "{p}充不上电,用不了,我退货",
            "退货退款怎么申请",
            "质量一般,退货,不然给差评",
        ),
        (
            "I would like to return the {p}",
            "how do I return this {p} and get a refund",
            "the {p} does not work, I want to return it",
            "can I return the {p} from {d}",
            "when can I return the {p}",
            "{p} looks different, return and refund please",
        ),
    ),
    "exchange-goods": (
        (
            "{p}小了一号,想换货",
            "不退货,给我换一件{c}的",
            "可以换货吗,颜色发错了",
            "{p}有点大,帮我换一件小的",
            "{p}打开用不了,换货",
            "先不退货,{p}能换货就行",
        ),
        (
            "can I exchange the {p} for a {c} one",
            "I do not want to return it, just swap the size of the {p}",
            "cannot use this {p}, please exchange it",
            "please swap the {p}, wrong colour",
            "is an exchange or a return faster for the {p}",
        ),
    ),
    "refund-status": (
        (
            "{p}的退款进度查一下",
            "退款还没到账",
            "{d}就申请了,钱还没到账",
            "帮我看看退款进度",
            "退货都签收了,还没到账",
            "什么时候能好,还没到账呢",
        ),
        (
            "what is the status of my refund",
            "my refund did not arrive yet",
            "when does the refund for the {p} arrive",
            "refund status for the {p} please",
            "returned the {p} on {d}, refund did not arrive",
        ),
    ),
    "urge-shipping": (
        (
            "{p}什么时候发货",
            "{d}拍的什么时候才发货",
            "发货要等到什么时候",
            "什么时候发货,再拖我就投诉",
            "说好48小时,什么时候能发货",
            "{p}到底什么时候发货呀",
        ),
        (
            "when will you ship my {p}",
            "when does the {p} ship",
            "ordered {d}, when are you going to ship it",
            "when is it shipped, or I will complain",
            "paid for the {p} on {d}, when does it ship",
        ),
    ),
    "where-is-parcel": (
        (
            "{p}到哪了",
            "我的快递到哪了,什么时候能送到",
            "物流不动了",
            "物流不动三天了,再不动给差评",
            "包裹领不到,到底到哪了",
            "单号{n}现在到哪了",
            "从{d}起物流不动",
        ),
        (
            "where is my parcel",
            "tracking has been stuck since {d}",
            "order status says delivered, so where is my parcel",
            "tracking says {t} for days",
            "it should arrive on {d}, where is my parcel with the {p}",
        ),
    ),
    "change-address": (
        (
            "发货前帮我改地址",
            "想改地址到{t}",
            "还没发货的话换个地址",
            "写错了,换个地址,寄到{t}",
            "{p}能改地址吗,我搬家了",
            "{d}的订单改地址",
        ),
        (
            "please change the address to {t}",
            "can you ship it to my new address in {t}",
            "I moved, can I change the address of the {p} order",
            "before you ship, take my new address",
            "new address for the {p}, please",
        ),
    ),
    "coupon-problem": (
        (
            "优惠券用不了",
            "结算时优惠券显示用不了",
            "店铺优惠券领不到",
            "{p}的优惠券怎么领不到",
            "优惠券明明没过期,用不了怎么办",
            "{d}领的优惠券用不了",
        ),
        (
            "the coupon does not work",
            "I cannot use my coupon on the {p}",
            "coupon from {d} does not work, what now",
            "why does the coupon not work for the {p}",
            "I cannot use the shop coupon",
        ),
    ),
    "price-protection": (
        (
            "{p}刚买就降价了",
            "用优惠券买的{p},第二天降价",
            "能退差价吗",
            "{d}买的,今天便宜了,补差价",
            "差价怎么补",
            "降价了怎么处理,才买{p}",
        ),
        (
            "there was a price drop on the {p}",
            "bought with a coupon on {d}, then a price drop",
            "can I get the price difference",
            "please pay me the price difference for the {p}",
            "price drop one day after I paid for the {p}",
        ),
    ),
    "invoice-request": (
        (
            "{p}要开发票",
            "发票什么时候开",
            "麻烦开发票,抬头{k}",
            "{d}的订单补开发票",
            "能开公司发票吗,{k}",
            "发票发我邮箱",
        ),
        (
            "I need an invoice for the {p}",
            "please send the invoice to {k}",
            "can you issue an invoice, order from {d}",
            "when do I get my invoice",
            "invoice made out to {k}, please",
        ),
    ),
    "complain-service": (
        (
            "客服这态度,我要投诉",
            "再这样就差评加投诉",
            "什么态度,等着差评吧",
            "态度这么差,我要投诉还要给差评",
            "投诉你们,态度不好,差评",
            "{d}那个客服态度不行,差评,投诉",
        ),
        (
            "your agent was rude, I will complain",
            "so rude, expect a bad review",
            "I will complain and leave a bad review",
            "rude on {d}, rude today: I complain and it is a bad review",
            "how rude, I have to complain, bad review follows",
            "a bad review is coming, so rude over the {p}, and I complain again",
        ),
    ),
    "damage-report": (
        (
            "收到是这样,怎么办",
            "{p}到手这样了,怎么处理",
            "刚拆的快递,你们看怎么处理",
            "这个怎么办",
            "{d}收到的,怎么处理一下",
        ),
        (
            "the {p} came like this, what now",
            "look at it, please advise",
            "just got it, what now",
            "this is how the {p} came, please advise",
        ),
    ),
}
