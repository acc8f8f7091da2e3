import type { Category, Product } from "@/api/types";

/** Stands for the search among the category tabs: no category has this id. */
export const SEARCH = -1;

const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

/** Shorter words are other words when one letter is wrong. */
const FORGIVING_FROM = 4;

/** Whether `word` begins `text` but for one letter that is wrong, missing, too many or swapped with the next. */
function nearlyBegins(text: string, word: string): boolean {
  const at = Array.from(word).findIndex((letter, place) => letter !== text[place]);
  if (at < 0) return true;
  const rest = word.slice(at + 1);
  const swapped = word[at] === text[at + 1] && word[at + 1] === text[at];
  return (
    text.startsWith(rest, at + 1) ||
    text.startsWith(rest, at) ||
    text.startsWith(word.slice(at), at + 1) ||
    (swapped && text.startsWith(word.slice(at + 2), at + 2))
  );
}

const nearlyHolds = (name: string, word: string): boolean =>
  word.length >= FORGIVING_FROM && name.split(/\s+/).some((text) => nearlyBegins(text, word));

/**
 * The product whose number `query` is; else those whose names hold every word of `query`, in the menu's order; where there is none, those
 * that hold them but for a typing mistake in each.
 *
 * @param otherNames names in the other language, by product id.
 */
export function findProducts(
  categories: Category[],
  query: string,
  otherNames: ReadonlyMap<number, string> = new Map(),
): Product[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const numbered = categories.flatMap(({ products }) => products.filter(({ id }) => String(id) === query.trim()));
  if (numbered.length > 0) return numbered;
  const all = categories.flatMap(({ products }) =>
    products.map((product) => ({
      product,
      names: [product.name, otherNames.get(product.id) ?? ""].map(plain),
    })),
  );
  const matching = (holds: (name: string, word: string) => boolean) =>
    all
      .filter(({ names }) => names.some((name) => words.every((word) => holds(name, word))))
      .map(({ product }) => product);
  const exact = matching((name, word) => name.includes(word));
  return exact.length > 0 ? exact : matching((name, word) => name.includes(word) || nearlyHolds(name, word));
}
