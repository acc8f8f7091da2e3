import type { Menu, OrderLine } from "@/api/types";

/** What a line of a bill is called. */
export interface LineName {
  name: string;
  modifiers: string[];
}

/** A line in the words of `menu`; in those of its moment where the menu has it no more. */
export function lineName(menu: Menu | undefined, line: OrderLine): LineName {
  const products = menu?.categories.flatMap((category) => category.products) ?? [];
  const product = products.find(({ id }) => id === line.product_id);
  const variant = product?.variants.find(({ id }) => id === line.variant_id);
  const known = new Map(
    product?.modifier_groups.flatMap((group) => group.modifiers).map(({ id, name }) => [id, name]),
  );
  const found = product && (line.variant_id === null || variant);
  return {
    name: found ? product.name + (variant ? ` (${variant.name})` : "") : line.name,
    modifiers: line.modifiers.map(({ id, name }) => known.get(id) ?? name),
  };
}
