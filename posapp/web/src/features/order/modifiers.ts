import type { ModifierGroup, Product } from "@/api/types";

/** The rules of variants and modifier groups: what may be chosen, and what is still to be chosen. */
export const hasOptions = ({ variants, modifier_groups }: Product): boolean =>
  variants.length > 0 || modifier_groups.length > 0;

const chosenOf = (group: ModifierGroup, chosen: number[]): number[] =>
  group.modifiers.map(({ id }) => id).filter((id) => chosen.includes(id));

/** Whether another modifier of the group may be added; a group of one swaps instead. */
export const isFull = (group: ModifierGroup, chosen: number[]): boolean =>
  group.max > 1 && chosenOf(group, chosen).length >= group.max;

/** Choose or drop modifier `id`: never more than the group's maximum, kept in the menu's order. */
export function toggleModifier(group: ModifierGroup, chosen: number[], id: number): number[] {
  if (chosen.includes(id)) return chosen.filter((other) => other !== id);
  if (isFull(group, chosen)) return chosen;
  const dropped = group.max === 1 ? chosenOf(group, chosen) : [];
  return [...chosen.filter((other) => !dropped.includes(other)), id];
}

/** The groups that have fewer modifiers chosen than their minimum. */
export const unmetGroups = (product: Product, chosen: number[]): ModifierGroup[] =>
  product.modifier_groups.filter((group) => chosenOf(group, chosen).length < group.min);

/** The chosen ids in the menu's order, so that equal selections are equal in whichever order they were tapped. */
export const inMenuOrder = (product: Product, chosen: number[]): number[] =>
  product.modifier_groups.flatMap((group) => chosenOf(group, chosen));
