import type { Category, Product } from "@/api/types";

/** Stands for the search among the category tabs: no category has this id. */
export const SEARCH = -1;

const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

/** The products whose names hold every word of `query`, in the menu's order. */
export function findProducts(categories: Category[], query: string): Product[] {
  const words = plain(query).split(/\s+/);
  return categories
    .flatMap(({ products }) => products)
    .filter(({ name }) => words.every((word) => plain(name).includes(word)));
}
