"""The demo menu of Steak Kenangan: names in Indonesian and English, prices in rupiah."""

from __future__ import annotations

from posapp.features.catalog.menu_seed import CategorySeed, Option, ProductSeed

STEAK = ("doneness", "side", "sauce", "extra")
GRILL = ("side", "sauce", "extra")


def _cuts(*grams_and_prices: tuple[int, int]) -> tuple[Option, ...]:
    return tuple((f"{grams} g", f"{grams} g", price) for grams, price in grams_and_prices)


def _temperature(hot: int, iced: int) -> tuple[Option, ...]:
    return (("Panas", "Hot", hot), ("Dingin", "Iced", iced))


CATEGORIES: tuple[CategorySeed, ...] = (
    (
        "Steak",
        "Steaks",
        (
            ProductSeed(
                "Sirloin Lokal",
                "Local Sirloin",
                89_000,
                STEAK,
                _cuts((150, 89_000), (200, 115_000), (250, 139_000)),
            ),
            ProductSeed(
                "Tenderloin Lokal",
                "Local Tenderloin",
                105_000,
                STEAK,
                _cuts((150, 105_000), (200, 135_000)),
            ),
            ProductSeed(
                "Sirloin Australia",
                "Australian Sirloin",
                165_000,
                STEAK,
                _cuts((200, 165_000), (300, 239_000)),
            ),
            ProductSeed(
                "Ribeye Australia",
                "Australian Ribeye",
                185_000,
                STEAK,
                _cuts((200, 185_000), (300, 269_000)),
            ),
            ProductSeed(
                "Tenderloin Australia",
                "Australian Tenderloin",
                210_000,
                STEAK,
                _cuts((180, 210_000), (250, 285_000)),
            ),
            ProductSeed("Rump Selandia Baru", "New Zealand Rump", 145_000, STEAK),
            ProductSeed(
                "Wagyu Sirloin MB5",
                "Wagyu Sirloin MB5",
                345_000,
                STEAK,
                _cuts((200, 345_000), (300, 495_000)),
            ),
            ProductSeed("Wagyu Ribeye MB7", "Wagyu Ribeye MB7", 485_000, STEAK),
            ProductSeed("T-Bone 500 g", "T-Bone 500 g", 365_000, STEAK),
            ProductSeed("Tomahawk 1,2 kg", "Tomahawk 1.2 kg", 1_150_000, STEAK),
            ProductSeed("Steak Kenangan", "Kenangan Signature Steak", 158_000, STEAK),
        ),
    ),
    (
        "Panggangan",
        "From the grill",
        (
            ProductSeed("Ayam Panggang Rempah", "Spiced Grilled Chicken", 68_000, GRILL),
            ProductSeed("Iga Sapi Bakar", "Grilled Beef Ribs", 145_000, GRILL),
            ProductSeed("Iga Domba", "Lamb Chops", 189_000, STEAK),
            ProductSeed("Salmon Panggang", "Grilled Salmon", 149_000, GRILL),
            ProductSeed("Kakap Sambal Matah", "Snapper with Sambal Matah", 98_000, GRILL),
            ProductSeed("Udang Galah Bakar", "Grilled River Prawns", 165_000, GRILL),
            ProductSeed("Sosis Sapi Panggang", "Grilled Beef Sausages", 62_000, GRILL),
            ProductSeed("Ayam Cordon Bleu", "Chicken Cordon Bleu", 75_000, GRILL),
        ),
    ),
    (
        "Burger & Pasta",
        "Burgers & pasta",
        (
            ProductSeed("Burger Sapi Klasik", "Classic Beef Burger", 69_000, ("doneness", "extra")),
            ProductSeed("Burger Wagyu", "Wagyu Burger", 115_000, ("doneness", "extra")),
            ProductSeed("Burger Ayam Renyah", "Crispy Chicken Burger", 62_000, ("extra",)),
            ProductSeed("Burger Jamur", "Mushroom Burger", 58_000, ("extra",)),
            ProductSeed("Spageti Bolognese", "Spaghetti Bolognese", 62_000),
            ProductSeed("Spageti Aglio Olio", "Spaghetti Aglio e Olio", 55_000, ("heat",)),
            ProductSeed("Fettuccine Karbonara", "Fettuccine Carbonara", 66_000),
            ProductSeed("Lasagna Sapi", "Beef Lasagne", 72_000),
        ),
    ),
    (
        "Nasi & Wajan",
        "Rice & wok",
        (
            ProductSeed("Nasi Goreng Sapi Asap", "Fried Rice with Smoked Beef", 58_000, ("heat",)),
            ProductSeed("Nasi Goreng Kampung", "Village Fried Rice", 45_000, ("heat",)),
            ProductSeed("Nasi Daging Lada Hitam", "Black Pepper Beef with Rice", 65_000, ("heat",)),
            ProductSeed("Sop Buntut", "Oxtail Soup", 89_000),
            ProductSeed("Sop Iga", "Beef Rib Soup", 82_000),
            ProductSeed("Mi Goreng Jawa", "Javanese Fried Noodles", 42_000, ("heat",)),
            ProductSeed("Rawon Daging", "East Javanese Black Beef Soup", 68_000),
        ),
    ),
    (
        "Pembuka & Salad",
        "Starters & salads",
        (
            ProductSeed("Roti Bawang", "Garlic Bread", 25_000),
            ProductSeed("Sup Jamur Krim", "Cream of Mushroom Soup", 35_000),
            ProductSeed("Sup Jagung", "Sweetcorn Soup", 32_000),
            ProductSeed("Salad Caesar", "Caesar Salad", 48_000),
            ProductSeed("Salad Kebun", "Garden Salad", 38_000),
            ProductSeed("Sayap Ayam Pedas", "Spicy Chicken Wings", 45_000, ("heat",)),
            ProductSeed("Cumi Goreng Tepung", "Fried Calamari", 52_000),
            ProductSeed("Tartar Daging", "Beef Tartare", 85_000),
            ProductSeed("Keju Mozzarella Goreng", "Fried Mozzarella", 46_000),
        ),
    ),
    (
        "Pendamping",
        "Sides",
        (
            ProductSeed("Kentang Goreng", "French Fries", 28_000),
            ProductSeed("Kentang Truffle", "Truffle Fries", 45_000),
            ProductSeed("Kentang Tumbuk", "Mashed Potatoes", 28_000),
            ProductSeed("Jagung Bakar Mentega", "Buttered Grilled Corn", 22_000),
            ProductSeed("Bayam Krim", "Creamed Spinach", 32_000),
            ProductSeed("Nasi Putih", "Steamed Rice", 10_000),
        ),
    ),
    (
        "Anak",
        "For children",
        (
            ProductSeed("Steak Mini Ayam", "Mini Chicken Steak", 42_000, ("side",)),
            ProductSeed("Spageti Anak", "Children's Spaghetti", 35_000),
            ProductSeed("Nugget & Kentang", "Nuggets & Fries", 38_000),
        ),
    ),
    (
        "Penutup",
        "Desserts",
        (
            ProductSeed("Es Krim", "Ice Cream", 28_000, ("scoop",)),
            ProductSeed("Lava Cokelat", "Chocolate Lava Cake", 45_000),
            ProductSeed("Panna Cotta Pandan", "Pandan Panna Cotta", 36_000),
            ProductSeed("Pisang Goreng Madu", "Honey Fried Banana", 30_000),
            ProductSeed("Kue Keju", "Cheesecake", 42_000),
            ProductSeed("Klepon Kenangan", "Kenangan Klepon", 26_000),
        ),
    ),
    (
        "Minuman",
        "Drinks",
        (
            ProductSeed("Air Mineral", "Mineral Water", 12_000),
            ProductSeed("Es Teh Manis", "Iced Sweet Tea", 15_000, ("sugar",)),
            ProductSeed("Teh Poci", "Pot of Tea", 22_000, ("sugar",)),
            ProductSeed("Es Jeruk", "Iced Orange", 22_000, ("sugar",)),
            ProductSeed("Jus Alpukat", "Avocado Juice", 32_000, ("sugar",)),
            ProductSeed("Jus Mangga", "Mango Juice", 30_000, ("sugar",)),
            ProductSeed("Es Kelapa Muda", "Young Coconut", 28_000, ("sugar",)),
            ProductSeed("Limun Serai", "Lemongrass Lemonade", 28_000, ("sugar",)),
            ProductSeed("Soda Gembira", "Happy Soda", 28_000),
            ProductSeed("Kopi Tubruk", "Javanese Coffee", 20_000, ("sugar",)),
            ProductSeed(
                "Kopi Susu Kenangan",
                "Kenangan Milk Coffee",
                28_000,
                ("sugar", "milk"),
                _temperature(28_000, 30_000),
            ),
            ProductSeed(
                "Cappuccino", "Cappuccino", 32_000, ("milk",), _temperature(32_000, 35_000)
            ),
            ProductSeed("Wedang Jahe", "Ginger Tea", 22_000, ("sugar",)),
        ),
    ),
)
