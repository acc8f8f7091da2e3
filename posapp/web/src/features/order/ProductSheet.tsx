import { Button, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Sheet } from "@/components/Sheet";
import { rupiah } from "@/lib/money";
import { OptionGroup } from "./OptionGroup";
import { inMenuOrder, isFull, toggleModifier, unmetGroups } from "./modifiers";
import { MAX_QUANTITY, type ProductSelection } from "./draft";
import classes from "./ProductSheet.module.css";
import { Stepper } from "./Stepper";

interface ProductSheetProps {
  product: Product;
  onClose: () => void;
  onAdd: (selection: ProductSelection) => void;
}

/** Size, doneness, sides, sauces and a note: what must be known before the kitchen can begin. */
export function ProductSheet({ product, onClose, onAdd }: ProductSheetProps) {
  const { t } = useTranslation();
  const [variantId, setVariantId] = useState(product.variants[0]?.id ?? null);
  const [modifierIds, setModifierIds] = useState<number[]>([]);
  const [quantity, setQuantity] = useState(1);
  const [note, setNote] = useState("");
  const missing = unmetGroups(product, modifierIds);
  const add = () =>
    onAdd({
      productId: product.id,
      variantId,
      modifierIds: inMenuOrder(product, modifierIds),
      quantity,
      note: note.trim(),
    });

  return (
    <Sheet opened onClose={onClose} width={880} title={product.name}>
      <Stack gap="lg">
        {product.variants.length > 0 && (
          <OptionGroup
            label={t("sheet.variant")}
            hint={t("sheet.exactly", { count: 1 })}
            required
            single
            options={product.variants.map((variant) => ({
              ...variant,
              priceText: rupiah(variant.price),
              chosen: variant.id === variantId,
            }))}
            onPick={setVariantId}
          />
        )}
        {product.modifier_groups.map((group) => (
          <OptionGroup
            key={group.id}
            label={group.name}
            hint={hintOf(group, t)}
            required={group.min > 0}
            single={group.max === 1}
            options={group.modifiers.map((modifier) => ({
              ...modifier,
              priceText: modifier.price ? `+${rupiah(modifier.price)}` : "",
              chosen: modifierIds.includes(modifier.id),
              disabled: !modifierIds.includes(modifier.id) && isFull(group, modifierIds),
            }))}
            onPick={(id) => setModifierIds((chosen) => toggleModifier(group, chosen, id))}
          />
        ))}
        <Textarea
          label={t("sheet.note")}
          placeholder={t("sheet.notePlaceholder")}
          maxLength={200}
          rows={1}
          size="md"
          value={note}
          onChange={(event) => setNote(event.currentTarget.value.replace(/\s+/g, " "))}
        />
        <div className={classes.foot}>
          <Stepper name={product.name} value={quantity} min={1} max={MAX_QUANTITY} onChange={setQuantity} />
          <Button size="lg" flex={1} disabled={missing.length > 0} onClick={add}>
            {missing.length > 0
              ? t("sheet.missing", { groups: missing.map(({ name }) => name).join(", ") })
              : t("sheet.add")}
          </Button>
        </div>
      </Stack>
    </Sheet>
  );
}

function hintOf(
  { min, max }: Product["modifier_groups"][number],
  t: ReturnType<typeof useTranslation>["t"],
): string {
  if (min === max) return t("sheet.exactly", { count: max });
  return min > 0 ? t("sheet.range", { min, max }) : t("sheet.upTo", { count: max });
}
