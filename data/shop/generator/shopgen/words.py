"""Every word the pages show, by key: wordings in Chinese, wordings in English.

Keys of the first block are what the planted rules speak of; the rest is filler that any page may draw.
"""

from __future__ import annotations

Wordings = tuple[tuple[str, ...], tuple[str, ...]]

SIGNS: dict[str, Wordings] = {
    "order_details": (("订单详情",), ("Order details",)),
    "submit": (("提交订单", "确认下单"), ("Place order", "Pay now")),
    "moving": (("运输中", "派送中"), ("In transit", "Out for delivery")),
    "refund_amount": (("退款金额",), ("Refund amount",)),
    "send_back": (("退货地址", "退货方式", "退货包裹"), ("Return address", "Return method", "Return parcel")),
    "return_promise": (("7天无理由退货", "支持退货"), ("Free returns", "7-day return")),
    "voucher": (("满减券", "待领取"), ("Voucher", "Unclaimed")),
    "invoice_title": (("发票抬头",), ("Invoice title",)),
    "tax_id": (("税号",), ("Tax ID",)),
    "e_invoice": (("电子发票",), ("E-invoice",)),
    "waybill": (("运单号",), ("Waybill",)),
    "receiver": (("收件人",), ("Ship to",)),
    "add_to_cart": (("加入购物车",), ("Add to cart",)),
    "buy": (("立即购买",), ("Buy now",)),
    "tabs": (("首页", "分类", "购物车", "我的"), ("Home", "Browse", "Cart", "Me")),
}

FILLER: dict[str, Wordings] = {
    "title": (("详情", "服务详情", "我的订单", "订单"), ("Details", "Service", "My orders", "Order")),
    "state": (
        ("审核通过", "处理中", "已完成", "等待确认"),
        ("Approved", "Processing", "Completed", "Pending"),
    ),
    "state_note": (
        ("感谢您的耐心等待", "请留意短信通知", "如有疑问请联系客服", "预计1至3天完成"),
        ("Thanks for your patience", "We will text you", "Questions? Ask us", "Takes 1 to 3 days"),
    ),
    "paid_state": (("已付款", "备货中", "交易完成", "待评价"), ("Paid", "Packing", "Completed", "To review")),
    "refund_no": (("服务编号",), ("Case no.",)),
    "reason": (("申请原因",), ("Reason",)),
    "reason_value": (
        ("拍错了", "不喜欢", "尺码不合适", "与描述不符", "多拍了"),
        ("Wrong item", "Changed mind", "Wrong size", "Not as shown", "Duplicate"),
    ),
    "applied": (("申请时间",), ("Applied on",)),
    "place_time": (("提交订单时间",), ("Place order time",)),
    "pay_note": (("确认下单前可用",), ("Pay now and save",)),
    "coupon_row": (("优惠券",), ("Coupon",)),
    "coupon_rule": (
        ("全店可用", "部分商品可用", "新人专享", "限指定商品"),
        ("Whole shop", "Selected items", "New customers", "Some items"),
    ),
    "valid_to": (("有效期至",), ("Valid until",)),
    "total": (("合计",), ("Total",)),
    "arrived": (
        ("快件已到达", "已揽收", "离开", "已发往"),
        ("Arrived at", "Picked up in", "Left", "Sent to"),
    ),
    "city": (
        ("杭州", "成都", "武汉", "青岛", "昆明", "合肥", "长沙", "厦门"),
        ("Hangzhou", "Chengdu", "Wuhan", "Qingdao", "Kunming", "Hefei", "Changsha", "Xiamen"),
    ),
    "person": (
        ("林女士", "周先生", "陈先生", "何女士", "许女士"),
        ("Lin Yue", "Zhou Kai", "Chen Bo", "He Min", "Xu Fei"),
    ),
    "company": (("云杉科技", "北林设计", "星河贸易"), ("Spruce Tech", "Northwood Ltd", "Milky Trade")),
    "personal": (("个人", "未填写", "企业"), ("Personal", "Not set", "Company")),
    "payment": (("付款方式",), ("Payment",)),
    "payment_value": (("余额支付", "银行卡", "先用后付"), ("Balance", "Bank card", "Pay later")),
    "delivery": (("配送方式",), ("Delivery",)),
    "delivery_value": (("普通快递", "次日达", "自提"), ("Standard", "Next day", "Pick-up")),
    "remark": (("备注",), ("Note",)),
    "remark_value": (("无", "放门口", "请尽快", "周末送"), ("None", "At the door", "Be quick", "Weekend")),
    "points": (("会员积分",), ("Points",)),
    "shop": (("店铺",), ("Shop",)),
    "made_on": (("创建时间",), ("Created",)),
    "recommend": (("猜你喜欢", "看了又看", "店主推荐"), ("You may like", "Seen lately", "Our picks")),
    "promise": (
        ("包邮", "正品保障", "顺丰包邮", "48小时内发出"),
        ("Free post", "Genuine", "Gift wrap", "Sent in 48 h"),
    ),
    "button": (
        ("联系客服", "再次购买", "更多", "评价", "帮助", "分享"),
        ("Contact us", "Buy again", "More", "Review", "Help", "Share"),
    ),
    "use": (("去使用", "查看"), ("Use", "View")),
    "review": (
        ("质量很好,颜色也正", "送朋友的,很满意", "用了一周,不错", "包装仔细,第二次买了"),
        ("Good quality, nice colour", "A gift, she loved it", "One week in, fine", "Well packed, second one"),
    ),
    "search": (("搜索", "大家在搜"), ("Search", "Trending")),
    "category": (
        ("女装", "男装", "家居", "数码", "母婴", "食品", "运动", "美妆"),
        ("Women", "Men", "Home", "Tech", "Kids", "Food", "Sports", "Beauty"),
    ),
    "fragile": (
        ("易碎品", "轻拿轻放", "请勿倒置", "小心轻放"),
        ("FRAGILE", "HANDLE WITH CARE", "THIS SIDE UP", "KEEP DRY"),
    ),
    "weight": (("重量",), ("Weight",)),
    "side": (("客服", "收藏", "店铺"), ("Chat", "Save", "Shop")),
    "product": (
        (
            "帆布包",
            "保温杯",
            "蓝牙音箱",
            "棉麻衬衫",
            "台灯",
            "雨伞",
            "运动袜",
            "电热水壶",
            "香薰蜡烛",
            "瑜伽垫",
            "毛毯",
            "砂锅",
        ),
        (
            "canvas bag",
            "thermos",
            "speaker",
            "linen shirt",
            "desk lamp",
            "umbrella",
            "socks",
            "kettle",
            "candle",
            "yoga mat",
            "blanket",
            "clay pot",
        ),
    ),
    "colour": (
        ("米白", "墨绿", "雾蓝", "浅灰", "奶咖", "藏青", "砖红"),
        ("cream", "green", "blue", "grey", "brown", "navy", "red"),
    ),
    "weekday": (("周一",), ("Monday", "Tuesday", "Friday", "Sunday")),
}

WORDS: dict[str, Wordings] = {**SIGNS, **FILLER}
