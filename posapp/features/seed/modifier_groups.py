"""The questions of the demo menu: modifier groups in Indonesian and English, rupiah."""

from __future__ import annotations

from collections.abc import Mapping

from posapp.features.catalog.menu_seed import ModifierGroupSeed

GROUPS: Mapping[str, ModifierGroupSeed] = {
    "doneness": ModifierGroupSeed(
        ("Kematangan", "Doneness"),
        1,
        1,
        (
            ("Rare", "Rare", 0),
            ("Medium Rare", "Medium rare", 0),
            ("Medium", "Medium", 0),
            ("Medium Well", "Medium well", 0),
            ("Well Done", "Well done", 0),
        ),
    ),
    "side": ModifierGroupSeed(
        ("Pendamping", "Side"),
        1,
        2,
        (
            ("Kentang Goreng", "French fries", 0),
            ("Kentang Tumbuk", "Mashed potatoes", 0),
            ("Nasi Putih", "Steamed rice", 0),
            ("Sayur Panggang", "Grilled vegetables", 0),
            ("Nasi Bawang", "Garlic rice", 5_000),
            ("Kentang Truffle", "Truffle fries", 15_000),
        ),
    ),
    "sauce": ModifierGroupSeed(
        ("Saus", "Sauce"),
        1,
        2,
        (
            ("Saus Lada Hitam", "Black pepper sauce", 0),
            ("Saus Jamur", "Mushroom sauce", 0),
            ("Saus Barbeku", "Barbecue sauce", 0),
            ("Saus Sambal Matah", "Sambal matah", 5_000),
            ("Saus Keju Biru", "Blue cheese sauce", 12_000),
        ),
    ),
    "extra": ModifierGroupSeed(
        ("Tambahan", "Extras"),
        0,
        4,
        (
            ("Telur Mata Sapi", "Fried egg", 6_000),
            ("Keju Leleh", "Melted cheese", 10_000),
            ("Jamur Tumis", "Sautéed mushrooms", 12_000),
            ("Udang Panggang", "Grilled prawns", 28_000),
        ),
    ),
    "heat": ModifierGroupSeed(
        ("Tingkat Pedas", "Heat"),
        1,
        1,
        (
            ("Tidak Pedas", "Mild", 0),
            ("Sedang", "Medium", 0),
            ("Pedas", "Hot", 0),
            ("Sangat Pedas", "Very hot", 0),
        ),
    ),
    "sugar": ModifierGroupSeed(
        ("Gula", "Sugar"),
        0,
        1,
        (("Tanpa Gula", "No sugar", 0), ("Sedikit Gula", "Less sugar", 0)),
    ),
    "milk": ModifierGroupSeed(
        ("Susu", "Milk"),
        0,
        1,
        (("Susu Gandum", "Oat milk", 8_000), ("Susu Almond", "Almond milk", 10_000)),
    ),
    "scoop": ModifierGroupSeed(
        ("Rasa", "Flavour"),
        1,
        2,
        (
            ("Vanila", "Vanilla", 0),
            ("Cokelat", "Chocolate", 0),
            ("Kelapa Muda", "Young coconut", 0),
            ("Durian", "Durian", 6_000),
        ),
    ),
}
