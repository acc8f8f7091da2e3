import { Alert, Button, Stack, Textarea } from "@mantine/core";
import { Ban } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
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
  /** What is chosen when it opens. */
  selection: ProductSelection;
  /** Whether this changes a line of the bill. */
  editing: boolean;
  /** Is told what was chosen, so that it is there when the sheet is opened again. */
  onClose: (selection: ProductSelection) => void;
  onDone: (selection: ProductSelection) => void;
}

/** Size, doneness, sides, sauces and a note: what must be known before the kitchen can begin. */
export function ProductSheet({ product, selection, editing, onClose, onDone }: ProductSheetProps) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState(selection);
  const change = (part: Partial<ProductSelection>) => setChosen((before) => ({ ...before, ...part }));
  const { modifierIds, quantity } = chosen;
  const missing = unmetGroups(product, modifierIds);
  const ready = missing.length === 0 && product.available;
  const finish = () => {
    if (!ready) return;
    onDone({ ...chosen, modifierIds: inMenuOrder(product, modifierIds), note: chosen.note.trim() });
  };
  const finishByKey = (event: KeyboardEvent) => {
    if (event.key !== "F8") return;
    event.preventDefault();
    finish();
  };

  return (
    <Sheet
      onClose={() => onClose(chosen)}
      onKeyDown={finishByKey}
      width={880}
      title={product.name}
      foot={
        <>
        <Stepper
          name={product.name}
          value={quantity}
          min={1}
          max={MAX_QUANTITY}
          onStep={(by) => setChosen((before) => stepped(before, by))}
          onType={(value) => change({ quantity: value })}
        />
        <Button className={classes.done ?? ""} size="lg" flex={1} disabled={!ready} onClick={finish}>
          {missing.length > 0
            ? t("sheet.missing", { groups: missing.map(({ name }) => name).join(", ") })
            : t(editing ? "line.change" : "sheet.add")}
        </Button>
        </>
      }
    >
      <Stack gap="md">
        {!product.available && (
          <Alert color="ember" icon={<Ban />} title={t("line.soldOut", { name: product.name })} role="alert" />
        )}
        {product.variants.length > 0 && (
          <OptionGroup
            label={t("sheet.variant")}
            hint={t("sheet.exactly", { count: 1 })}
            required
            single
            first
            options={product.variants.map((variant) => ({
              ...variant,
              priceText: rupiah(variant.price),
              chosen: variant.id === chosen.variantId,
            }))}
            onPick={(variantId) => change({ variantId })}
          />
        )}
        {product.modifier_groups.map((group, at) => (
          <OptionGroup
            key={group.id}
            label={group.name}
            hint={hintOf(group, t)}
            required={group.min > 0}
            single={group.max === 1}
            first={at === 0 && product.variants.length === 0}
            options={group.modifiers.map((modifier) => ({
              ...modifier,
              priceText: modifier.price ? `+${rupiah(modifier.price)}` : "",
              chosen: modifierIds.includes(modifier.id),
              disabled: !modifierIds.includes(modifier.id) && isFull(group, modifierIds),
            }))}
            onPick={(id) =>
              setChosen((before) => ({
                ...before,
                modifierIds: toggleModifier(group, before.modifierIds, id),
              }))
            }
          />
        ))}
        <Textarea
          label={t("sheet.note")}
          placeholder={t("sheet.notePlaceholder")}
          maxLength={200}
          rows={1}
          size="md"
          value={chosen.note}
          onChange={(event) => change({ note: event.currentTarget.value.replace(/\s+/g, " ") })}
        />
      </Stack>
    </Sheet>
  );
}

const stepped = (selection: ProductSelection, by: number): ProductSelection => ({
  ...selection,
  quantity: Math.min(MAX_QUANTITY, Math.max(1, selection.quantity + by)),
});

function hintOf(
  { min, max }: Product["modifier_groups"][number],
  t: ReturnType<typeof useTranslation>["t"],
): string {
  if (min === max) return t("sheet.exactly", { count: max });
  return min > 0 ? t("sheet.range", { min, max }) : t("sheet.upTo", { count: max });
}
