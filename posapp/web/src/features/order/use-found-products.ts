import { useMemo } from "react";
import { useOtherMenu } from "@/api/queries";
import type { Category, Product } from "@/api/types";
import { findProducts } from "./search";

/** The products that a search finds, by their names in both languages: guests do not ask in the screen's. */
export function useFoundProducts(categories: Category[], query: string): Product[] {
  const other = useOtherMenu(query !== "");
  return useMemo(() => {
    if (!query) return [];
    const otherNames = new Map(
      other.data?.categories.flatMap(({ products }) => products.map(({ id, name }) => [id, name])),
    );
    return findProducts(categories, query, otherNames);
  }, [categories, query, other.data]);
}
