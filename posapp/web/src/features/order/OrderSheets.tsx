import { useState } from "react";
import type { Product } from "@/api/types";
import type { Draft, Guest } from "@/lib/database";
import { plainSelection, type ProductSelection, replaceLine } from "./draft";
import { trimmed } from "./guest";
import { GuestSheet } from "./GuestSheet";
import { ProductSheet } from "./ProductSheet";
import { TablePicker } from "./TablePicker";
import { edit } from "./use-draft";

/** The sheet over the order screen: a product's, new or as a line of the bill, the tables or the guest. */
export type OpenSheet =
  | { kind: "product"; productId: number; lineKey?: string }
  | { kind: "table" }
  | { kind: "guest" };

interface OrderSheetsProps {
  sheet: OpenSheet | null;
  draft: Draft;
  products: Map<number, Product>;
  onAdd: (selection: ProductSelection) => void;
  onClose: () => void;
}

/** Shows the sheet that is open, and keeps what was chosen in one that was closed unfinished. */
export function OrderSheets({ sheet, draft, products, onAdd, onClose }: OrderSheetsProps) {
  const [unfinished, setUnfinished] = useState<Partial<Record<string, ProductSelection>>>({});
  const [unsaved, setUnsaved] = useState<Guest | null>(null);
  const keep = (name: string, selection: ProductSelection | undefined) => {
    setUnfinished((before) => ({ ...before, [name]: selection }));
    onClose();
  };
  if (sheet?.kind === "table") {
    return (
      <TablePicker
        chosenId={draft.tableId}
        onClose={onClose}
        onPick={(tableId) => {
          void edit((before) => ({ ...before, type: "dine_in", tableId }));
          onClose();
        }}
      />
    );
  }
  if (sheet?.kind === "guest") {
    return (
      <GuestSheet
        key={draft.type}
        type={draft.type}
        guest={unsaved ?? draft.guest}
        onClose={(guest) => {
          setUnsaved(guest);
          onClose();
        }}
        onSave={(guest) => {
          void edit((before) => ({ ...before, guest: trimmed(guest) }));
          setUnsaved(null);
          onClose();
        }}
      />
    );
  }
  const product = sheet && products.get(sheet.productId);
  if (!product) return null;
  const { lineKey } = sheet;
  const line = draft.lines.find(({ key }) => key === lineKey);
  const name = lineKey ?? `product ${product.id}`;
  return (
    <ProductSheet
      key={name}
      product={product}
      selection={unfinished[name] ?? line ?? plainSelection(product)}
      editing={lineKey !== undefined}
      onClose={(selection) => keep(name, selection)}
      onDone={(selection) => {
        if (lineKey === undefined) onAdd(selection);
        else void edit((before) => replaceLine(before, lineKey, selection));
        keep(name, undefined);
      }}
    />
  );
}
