import { useState } from "react";
import { v4 as uuid } from "uuid";
import { useMenu } from "@/api/queries";
import type { Product } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { DraftPanel } from "./DraftPanel";
import { CategoryTabs } from "./CategoryTabs";
import { hasOptions } from "./modifiers";
import { addLine, countByProduct, emptyDraft, needsTable, type ProductSelection } from "./draft";
import { OrderBar } from "./OrderBar";
import classes from "./OrderPage.module.css";
import { ProductGrid } from "./ProductGrid";
import { ProductSheet } from "./ProductSheet";
import { findProducts, SEARCH } from "./search";
import { SentPanel } from "./SentPanel";
import { TablePicker } from "./TablePicker";
import { edit, useDraft } from "./use-draft";
import { useSendOrder } from "./use-send-order";

/** Menu on the left, bill on the right: three taps from table to sent. */
export function OrderPage() {
  const menu = useMenu();
  const draft = useDraft();
  const send = useSendOrder();
  const [query, setQuery] = useState("");
  const [categoryId, setCategoryId] = useState<number | null>(null);
  const [chosen, setChosen] = useState<Product | null>(null);
  const [pickingTable, setPickingTable] = useState(false);

  const categories = menu.data?.categories ?? [];
  const category = categories.find(({ id }) => id === categoryId) ?? categories[0];
  const products = query ? findProducts(categories, query) : category?.products;
  const add = (selection: ProductSelection) => {
    send.reset();
    void edit((before) => addLine(before, selection, uuid()));
  };
  const tap = (product: Product) => {
    if (hasOptions(product)) setChosen(product);
    else add({ productId: product.id, variantId: null, modifierIds: [], quantity: 1, note: "" });
  };
  const sendOrAskTable = (expectedTotal: number | null) => {
    if (send.waiting) send.again();
    else if (draft && needsTable(draft)) setPickingTable(true);
    else send.sendNew(expectedTotal);
  };

  return (
    <div className={classes.page}>
      <section className={classes.menu}>
        <OrderBar
          draft={draft ?? emptyDraft}
          locked={send.waiting}
          onPickTable={() => setPickingTable(true)}
          query={query}
          onQuery={setQuery}
          onEnter={() => {
            const first = products?.find(({ available }) => available);
            if (query && first) tap(first);
          }}
        />
        <CategoryTabs
          categories={categories}
          activeId={query ? SEARCH : category?.id}
          onPick={(id) => {
            setQuery("");
            setCategoryId(id);
          }}
        />
        {menu.isError && !menu.data ? (
          <ErrorNote error={menu.error} onRetry={() => void menu.refetch()} />
        ) : (
          <ProductGrid
            products={menu.isPending ? undefined : products}
            counts={countByProduct(draft ?? emptyDraft)}
            locked={send.waiting}
            onTap={tap}
          />
        )}
      </section>
      <aside className={classes.order}>
        {send.data && draft?.lines.length === 0 ? (
          <SentPanel order={send.data} onNext={send.reset} />
        ) : (
          <DraftPanel draft={draft} categories={categories} send={send} onSend={sendOrAskTable} />
        )}
      </aside>
      {chosen && (
        <ProductSheet
          key={chosen.id}
          product={chosen}
          onClose={() => setChosen(null)}
          onAdd={(selection) => {
            add(selection);
            setChosen(null);
          }}
        />
      )}
      <TablePicker
        opened={pickingTable}
        chosenId={draft?.tableId ?? null}
        onClose={() => setPickingTable(false)}
        onPick={(tableId) => {
          void edit((before) => ({ ...before, type: "dine_in", tableId }));
          setPickingTable(false);
        }}
      />
    </div>
  );
}
