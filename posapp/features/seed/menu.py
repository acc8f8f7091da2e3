"""The menu of Steak Kenangan: names in Indonesian and English, prices in rupiah."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Answer = tuple[str, str, int]
"""Name, English name, price: what a modifier adds, or what a variant costs."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question with at least `least` and at most `most` answers."""

    names: tuple[str, str]
    least: int
    most: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Dish:
    name: str
    english: str
    price: int
    asks: tuple[str, ...] = ()
    variants: tuple[Answer, ...] = ()


GROUPS: Mapping[str, Group] = {
    "doneness": Group(
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
    "side": Group(
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
    "sauce": Group(
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
    "extra": Group(
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
    "heat": Group(
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
    "sugar": Group(
        ("Gula", "Sugar"),
        0,
        1,
        (("Tanpa Gula", "No sugar", 0), ("Sedikit Gula", "Less sugar", 0)),
    ),
    "milk": Group(
        ("Susu", "Milk"),
        0,
        1,
        (("Susu Gandum", "Oat milk", 8_000), ("Susu Almond", "Almond milk", 10_000)),
    ),
    "scoop": Group(
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

STEAK = ("doneness", "side", "sauce", "extra")
GRILL = ("side", "sauce", "extra")


def _cuts(*grams_and_prices: tuple[int, int]) -> tuple[Answer, ...]:
    return tuple((f"{grams} g", f"{grams} g", price) for grams, price in grams_and_prices)


def _temperature(hot: int, iced: int) -> tuple[Answer, ...]:
    return (("Panas", "Hot", hot), ("Dingin", "Iced", iced))


CATEGORIES: tuple[tuple[str, str, tuple[Dish, ...]], ...] = (
    (
        "Steak",
        "Steaks",
        (
            Dish(
                "Sirloin Lokal",
                "Local Sirloin",
                89_000,
                STEAK,
                _cuts((150, 89_000), (200, 115_000), (250, 139_000)),
            ),
            Dish(
                "Tenderloin Lokal",
                "Local Tenderloin",
                105_000,
                STEAK,
                _cuts((150, 105_000), (200, 135_000)),
            ),
            Dish(
                "Sirloin Australia",
                "Australian Sirloin",
                165_000,
                STEAK,
                _cuts((200, 165_000), (300, 239_000)),
            ),
            Dish(
                "Ribeye Australia",
                "Australian Ribeye",
                185_000,
                STEAK,
                _cuts((200, 185_000), (300, 269_000)),
            ),
            Dish(
                "Tenderloin Australia",
                "Australian Tenderloin",
                210_000,
                STEAK,
                _cuts((180, 210_000), (250, 285_000)),
            ),
            Dish("Rump Selandia Baru", "New Zealand Rump", 145_000, STEAK),
            Dish(
                "Wagyu Sirloin MB5",
                "Wagyu Sirloin MB5",
                345_000,
                STEAK,
                _cuts((200, 345_000), (300, 495_000)),
            ),
            Dish("Wagyu Ribeye MB7", "Wagyu Ribeye MB7", 485_000, STEAK),
            Dish("T-Bone 500 g", "T-Bone 500 g", 365_000, STEAK),
            Dish("Tomahawk 1,2 kg", "Tomahawk 1.2 kg", 1_150_000, STEAK),
            Dish("Steak Kenangan", "Kenangan Signature Steak", 158_000, STEAK),
        ),
    ),
    (
        "Panggangan",
        "From the grill",
        (
            Dish("Ayam Panggang Rempah", "Spiced Grilled Chicken", 68_000, GRILL),
            Dish("Iga Sapi Bakar", "Grilled Beef Ribs", 145_000, GRILL),
            Dish("Iga Domba", "Lamb Chops", 189_000, STEAK),
            Dish("Salmon Panggang", "Grilled Salmon", 149_000, GRILL),
            Dish("Kakap Sambal Matah", "Snapper with Sambal Matah", 98_000, GRILL),
            Dish("Udang Galah Bakar", "Grilled River Prawns", 165_000, GRILL),
            Dish("Sosis Sapi Panggang", "Grilled Beef Sausages", 62_000, GRILL),
            Dish("Ayam Cordon Bleu", "Chicken Cordon Bleu", 75_000, GRILL),
        ),
    ),
    (
        "Burger & Pasta",
        "Burgers & pasta",
        (
            Dish("Burger Sapi Klasik", "Classic Beef Burger", 69_000, ("doneness", "extra")),
            Dish("Burger Wagyu", "Wagyu Burger", 115_000, ("doneness", "extra")),
            Dish("Burger Ayam Renyah", "Crispy Chicken Burger", 62_000, ("extra",)),
            Dish("Burger Jamur", "Mushroom Burger", 58_000, ("extra",)),
            Dish("Spageti Bolognese", "Spaghetti Bolognese", 62_000),
            Dish("Spageti Aglio Olio", "Spaghetti Aglio e Olio", 55_000, ("heat",)),
            Dish("Fettuccine Karbonara", "Fettuccine Carbonara", 66_000),
            Dish("Lasagna Sapi", "Beef Lasagne", 72_000),
        ),
    ),
    (
        "Nasi & Wajan",
        "Rice & wok",
        (
            Dish("Nasi Goreng Sapi Asap", "Fried Rice with Smoked Beef", 58_000, ("heat",)),
            Dish("Nasi Goreng Kampung", "Village Fried Rice", 45_000, ("heat",)),
            Dish("Nasi Daging Lada Hitam", "Black Pepper Beef with Rice", 65_000, ("heat",)),
            Dish("Sop Buntut", "Oxtail Soup", 89_000),
            Dish("Sop Iga", "Beef Rib Soup", 82_000),
            Dish("Mi Goreng Jawa", "Javanese Fried Noodles", 42_000, ("heat",)),
            Dish("Rawon Daging", "East Javanese Black Beef Soup", 68_000),
        ),
    ),
    (
        "Pembuka & Salad",
        "Starters & salads",
        (
            Dish("Roti Bawang", "Garlic Bread", 25_000),
            Dish("Sup Jamur Krim", "Cream of Mushroom Soup", 35_000),
            Dish("Sup Jagung", "Sweetcorn Soup", 32_000),
            Dish("Salad Caesar", "Caesar Salad", 48_000),
            Dish("Salad Kebun", "Garden Salad", 38_000),
            Dish("Sayap Ayam Pedas", "Spicy Chicken Wings", 45_000, ("heat",)),
            Dish("Cumi Goreng Tepung", "Fried Calamari", 52_000),
            Dish("Tartar Daging", "Beef Tartare", 85_000),
            Dish("Keju Mozzarella Goreng", "Fried Mozzarella", 46_000),
        ),
    ),
    (
        "Pendamping",
        "Sides",
        (
            Dish("Kentang Goreng", "French Fries", 28_000),
            Dish("Kentang Truffle", "Truffle Fries", 45_000),
            Dish("Kentang Tumbuk", "Mashed Potatoes", 28_000),
            Dish("Jagung Bakar Mentega", "Buttered Grilled Corn", 22_000),
            Dish("Bayam Krim", "Creamed Spinach", 32_000),
            Dish("Nasi Putih", "Steamed Rice", 10_000),
        ),
    ),
    (
        "Anak",
        "For children",
        (
            Dish("Steak Mini Ayam", "Mini Chicken Steak", 42_000, ("side",)),
            Dish("Spageti Anak", "Children's Spaghetti", 35_000),
            Dish("Nugget & Kentang", "Nuggets & Fries", 38_000),
        ),
    ),
    (
        "Penutup",
        "Desserts",
        (
            Dish("Es Krim", "Ice Cream", 28_000, ("scoop",)),
            Dish("Lava Cokelat", "Chocolate Lava Cake", 45_000),
            Dish("Panna Cotta Pandan", "Pandan Panna Cotta", 36_000),
            Dish("Pisang Goreng Madu", "Honey Fried Banana", 30_000),
            Dish("Kue Keju", "Cheesecake", 42_000),
            Dish("Klepon Kenangan", "Kenangan Klepon", 26_000),
        ),
    ),
    (
        "Minuman",
        "Drinks",
        (
            Dish("Air Mineral", "Mineral Water", 12_000),
            Dish("Es Teh Manis", "Iced Sweet Tea", 15_000, ("sugar",)),
            Dish("Teh Poci", "Pot of Tea", 22_000, ("sugar",)),
            Dish("Es Jeruk", "Iced Orange", 22_000, ("sugar",)),
            Dish("Jus Alpukat", "Avocado Juice", 32_000, ("sugar",)),
            Dish("Jus Mangga", "Mango Juice", 30_000, ("sugar",)),
            Dish("Es Kelapa Muda", "Young Coconut", 28_000, ("sugar",)),
            Dish("Limun Serai", "Lemongrass Lemonade", 28_000, ("sugar",)),
            Dish("Soda Gembira", "Happy Soda", 28_000),
            Dish("Kopi Tubruk", "Javanese Coffee", 20_000, ("sugar",)),
            Dish(
                "Kopi Susu Kenangan",
                "Kenangan Milk Coffee",
                28_000,
                ("sugar", "milk"),
                _temperature(28_000, 30_000),
            ),
            Dish("Cappuccino", "Cappuccino", 32_000, ("milk",), _temperature(32_000, 35_000)),
            Dish("Wedang Jahe", "Ginger Tea", 22_000, ("sugar",)),
        ),
    ),
)
