import type { Product } from "@/api/types";
import type { DraftLine } from "@/lib/database";

/** "400 g · Medium rare, Saus jamur", in the menu's words. */
export function detailsOf(
  { variantId, modifierIds }: Pick<DraftLine, "variantId" | "modifierIds">,
  product: Product | undefined,
): string {
  if (!product) return "";
  const variant = product.variants.find(({ id }) => id === variantId)?.name;
  const modifiers = product.modifier_groups
    .flatMap((group) => group.modifiers)
    .filter(({ id }) => modifierIds.includes(id))
    .map(({ name }) => name)
    .join(", ");
  return [variant, modifiers].filter(Boolean).join(" · ");
}
