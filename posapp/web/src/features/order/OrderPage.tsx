import { VisuallyHidden } from "@mantine/core";
import { useSessionStorage } from "@mantine/hooks";
import { Suspense, useCallback, useEffect, useEffectEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useMenu } from "@/api/queries";
import type { Category, Product } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import type { DraftLine } from "@/lib/database";
import { later, useRestIsHere } from "@/lib/later";
import { paths } from "@/lib/paths";
import { useKeys } from "@/lib/use-keys";
import { BillPanel } from "./BillPanel";
import { CategoryTabs } from "./CategoryTabs";
import { countByProduct, emptyDraft, needsGuest, needsTable, plainSelection } from "./draft";
import { hasOptions } from "./modifiers";
import { OrderBar } from "./OrderBar";
import classes from "./OrderPage.module.css";
import type { OpenSheet } from "./OrderSheets";
import { ProductGrid } from "./ProductGrid";
import { SEARCH } from "./search";
import { useAdd } from "./use-add";
import { useDraft } from "./use-draft";
import { useFoundProducts } from "./use-found-products";
import { type Shown, useSendOrder } from "./use-send-order";

const NO_CATEGORIES: Category[] = [];
const OrderSheets = later("OrderSheets", () => import("./OrderSheets"));

/** Menu on the left, bill on the right: three taps from table to sent. */
export function OrderPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const menu = useMenu();
  const draft = useDraft();
  const send = useSendOrder();
  const [query, setQuery] = useState("");
  const [categoryId, setCategoryId] = useSessionStorage<number | null>({
    key: "kenangan.category",
    defaultValue: null,
    getInitialValueInEffect: false,
  });
  const [sheet, setSheet] = useState<OpenSheet | null>(null);
  const restIsHere = useRestIsHere();
  const [sheetsBegun, setSheetsBegun] = useState(false);
  // From the first one on they stay: what was chosen in one that was closed is kept there.
  if (!sheetsBegun && (sheet !== null || restIsHere)) setSheetsBegun(true);

  const categories = menu.data?.categories ?? NO_CATEGORIES;
  const category = categories.find(({ id }) => id === categoryId) ?? categories[0];
  const found = useFoundProducts(categories, query);
  const shown = query ? found : category?.products;
  const products = useMemo(
    () => new Map(menu.data?.categories.flatMap((one) => one.products.map((product) => [product.id, product]))),
    [menu.data],
  );
  const counts = useMemo(() => countByProduct(draft ?? emptyDraft), [draft]);
  const add = useAdd(send.reset);
  const forgetRefusal = useEffectEvent(() => {
    if (send.error && !send.waiting) send.reset();
  });
  // What was refused is not what stands there now.
  useEffect(() => forgetRefusal(), [draft]);
  // The same function each time, or a tap would draw every tile of the menu.
  const tap = useCallback(
    (product: Product) => {
      if (hasOptions(product)) setSheet({ kind: "product", productId: product.id });
      else add(plainSelection(product));
    },
    [add],
  );
  const editLine = useCallback(
    ({ key, productId }: DraftLine) => setSheet({ kind: "product", productId, lineKey: key }),
    [],
  );
  const pick = useCallback(
    (id: number) => {
      setQuery("");
      setCategoryId(id);
    },
    [setCategoryId],
  );
  const sendOrAsk = (whatIsShown: Shown | null) => {
    if (send.waiting) send.again();
    else if (draft && needsTable(draft)) setSheet({ kind: "table" });
    else if (draft && needsGuest(draft)) setSheet({ kind: "guest" });
    else send.sendNew(whatIsShown);
  };
  const lastSent = draft?.lastSent;
  useKeys({ F9: lastSent ? () => void navigate(paths.pay(String(lastSent.orderId))) : undefined });

  return (
    <div className={classes.page}>
      <VisuallyHidden component="h1">{t("nav.order")}</VisuallyHidden>
      <section className={classes.menu} aria-label={t("line.menu")}>
        <OrderBar
          draft={draft ?? emptyDraft}
          locked={send.waiting}
          onPickTable={() => setSheet({ kind: "table" })}
          onGuest={() => setSheet({ kind: "guest" })}
          query={query}
          onQuery={setQuery}
          onEnter={() => {
            const first = shown?.find(({ available }) => available);
            if (query && first) tap(first);
            return first !== undefined;
          }}
        />
        <CategoryTabs
          categories={categories}
          activeId={query ? SEARCH : category?.id}
          onPick={pick}
        />
        {menu.isError && !menu.data ? (
          <ErrorNote error={menu.error} onRetry={() => void menu.refetch()} />
        ) : (
          <ProductGrid
            products={menu.isPending ? undefined : shown}
            counts={counts}
            locked={send.waiting}
            onTap={tap}
          />
        )}
      </section>
      <BillPanel
        draft={draft}
        products={products}
        send={send}
        onSend={sendOrAsk}
        onEditLine={editLine}
      />
      {sheetsBegun && (
        <Suspense>
          <OrderSheets sheet={sheet} draft={draft ?? emptyDraft} products={products} onAdd={add} onClose={() => setSheet(null)} />
        </Suspense>
      )}
    </div>
  );
}
