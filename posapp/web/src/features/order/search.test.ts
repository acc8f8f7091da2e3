import { expect, it } from "vitest";
import { findProducts } from "./search";

const product = (id: number, name: string) => ({
  id, name, price: 0, available: true, category_id: 1, variants: [], modifier_groups: [],
});
const categories = [
  { id: 1, name: "Steak", products: [product(1, "Wagyu Sirloin"), product(2, "Sirloin Lokal")] },
  { id: 2, name: "Minuman", products: [product(3, "Café Latte"), product(4, "Mineral Water")] },
];
const other = new Map([[4, "Air Mineral"]]);
const names = (query: string) => findProducts(categories, query, other).map(({ name }) => name);

it("finds by any words in any order, over all categories", () => {
  expect(names("sirloin")).toEqual(["Wagyu Sirloin", "Sirloin Lokal"]);
  expect(names("SIR wag")).toEqual(["Wagyu Sirloin"]);
});

it("finds a dish by its number alone", () => {
  expect(names(" 3 ")).toEqual(["Café Latte"]);
  expect(names("34")).toEqual([]);
});

it("does not mind accents", () => {
  expect(names("cafe")).toEqual(["Café Latte"]);
});

it("knows the name in the other language, and does not mix the two", () => {
  expect(names("air mineral")).toEqual(["Mineral Water"]);
  expect(names("air water")).toEqual([]);
});

it.each(["sirlion", "sirlin", "sirlooin", "sorloin", "irloin lokal"])("forgives the mistake in %s", (typed) => {
  expect(names(typed)).toContain("Sirloin Lokal");
});

it.each(["watr", "watter", "wtaer", "wader"])("forgives the mistake in %s", (typed) => {
  expect(names(typed)).toEqual(["Mineral Water"]);
});

it("forgives nothing where something matches, nor in short words", () => {
  expect(names("wagyu")).toEqual(["Wagyu Sirloin"]);
  expect(names("lat")).toEqual(["Café Latte"]);
  expect(names("lot")).toEqual([]);
});

it("finds nothing where nothing matches", () => {
  expect(names("pizza")).toEqual([]);
});
