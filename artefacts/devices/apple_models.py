"""What Apple's product codes (``iPhone12,1``) are sold as. Source: Apple's own product pages; codes as devices report them (``ProductType``)."""

from __future__ import annotations

_PHONES = {
    "3,1": "iPhone 4", "3,2": "iPhone 4", "3,3": "iPhone 4", "4,1": "iPhone 4S", "5,1": "iPhone 5", "5,2": "iPhone 5", "5,3": "iPhone 5c", "5,4": "iPhone 5c",
    "6,1": "iPhone 5s", "6,2": "iPhone 5s", "7,1": "iPhone 6 Plus", "7,2": "iPhone 6", "8,1": "iPhone 6s", "8,2": "iPhone 6s Plus", "8,4": "iPhone SE",
    "9,1": "iPhone 7", "9,2": "iPhone 7 Plus", "9,3": "iPhone 7", "9,4": "iPhone 7 Plus", "10,1": "iPhone 8", "10,2": "iPhone 8 Plus", "10,3": "iPhone X",
    "10,4": "iPhone 8", "10,5": "iPhone 8 Plus", "10,6": "iPhone X", "11,2": "iPhone XS", "11,4": "iPhone XS Max", "11,6": "iPhone XS Max", "11,8": "iPhone XR",
    "12,1": "iPhone 11", "12,3": "iPhone 11 Pro", "12,5": "iPhone 11 Pro Max", "12,8": "iPhone SE (2nd generation)", "13,1": "iPhone 12 mini", "13,2": "iPhone 12",
    "13,3": "iPhone 12 Pro", "13,4": "iPhone 12 Pro Max", "14,2": "iPhone 13 Pro", "14,3": "iPhone 13 Pro Max", "14,4": "iPhone 13 mini", "14,5": "iPhone 13",
    "14,6": "iPhone SE (3rd generation)", "14,7": "iPhone 14", "14,8": "iPhone 14 Plus", "15,2": "iPhone 14 Pro", "15,3": "iPhone 14 Pro Max", "15,4": "iPhone 15",
    "15,5": "iPhone 15 Plus", "16,1": "iPhone 15 Pro", "16,2": "iPhone 15 Pro Max", "17,1": "iPhone 16 Pro", "17,2": "iPhone 16 Pro Max", "17,3": "iPhone 16",
    "17,4": "iPhone 16 Plus", "17,5": "iPhone 16e",
}  # fmt: skip


def sold_as(product: str | None) -> str | None:
    """The name on the box of a product code; of other devices than the phones listed here only the family (``iPad``); None for anything else."""
    if not product:
        return None
    for family in ("iPhone", "iPad", "iPod"):
        if product.startswith(family):
            return (_PHONES.get(product.removeprefix(family)) if family == "iPhone" else None) or family
    return None
