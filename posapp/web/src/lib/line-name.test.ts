import { expect, it } from "vitest";
import { lineName } from "./line-name";
import type { Menu, OrderLine } from "@/api/types";

const menu = {
  categories: [
    {
      id: 1,
      name: "Steaks",
      products: [
        {
          id: 7,
          name: "Local Sirloin",
          price: 1,
          available: true,
          category_id: 1,
          variants: [{ id: 70, name: "150 g", price: 1 }],
          modifier_groups: [
            { id: 3, name: "Sides", min: 0, max: 1, modifiers: [{ id: 31, name: "Mashed potatoes", price: 0 }] },
          ],
        },
      ],
    },
  ],
} satisfies Menu;
const line = (more: Partial<OrderLine>): OrderLine =>
  ({
    product_id: 7,
    variant_id: 70,
    name: "Sirloin Lokal (150 g)",
    modifiers: [{ id: 31, name: "Kentang Tumbuk", price: 0 }],
    ...more,
  }) as OrderLine;

it("says a line in the words of the menu", () => {
  expect(lineName(menu, line({}))).toEqual({
    name: "Local Sirloin (150 g)",
    modifiers: ["Mashed potatoes"],
  });
});

it.each([
  ["the product", line({ product_id: 8 })],
  ["its size", line({ variant_id: 71 })],
])("says it in the words of its moment where the menu has not %s any more", (_, gone) => {
  expect(lineName(menu, gone).name).toBe("Sirloin Lokal (150 g)");
});

it("has the words of the moment while there is no menu", () => {
  expect(lineName(undefined, line({}))).toEqual({
    name: "Sirloin Lokal (150 g)",
    modifiers: ["Kentang Tumbuk"],
  });
});
