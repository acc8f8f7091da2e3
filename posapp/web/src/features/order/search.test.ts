import { expect, it } from "vitest";
import { findProducts } from "./search";

const product = (name: string) => ({
  id: 1, name, price: 0, available: true, category_id: 1, variants: [], modifier_groups: [],
});
const categories = [
  { id: 1, name: "Steak", products: [product("Wagyu Sirloin"), product("Sirloin Lokal")] },
  { id: 2, name: "Minuman", products: [product("Café Latte")] },
];
const names = (query: string) => findProducts(categories, query).map(({ name }) => name);

it("finds by any words in any order, over all categories", () => {
  expect(names("sirloin")).toEqual(["Wagyu Sirloin", "Sirloin Lokal"]);
  expect(names("SIR wag")).toEqual(["Wagyu Sirloin"]);
});

it("does not mind accents", () => {
  expect(names("cafe")).toEqual(["Café Latte"]);
});

it("finds nothing where nothing matches", () => {
  expect(names("pizza")).toEqual([]);
});
