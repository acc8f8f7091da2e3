import { Flame } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Empty } from "@/components/Empty";
import type { Draft, DraftLine } from "@/lib/database";
import classes from "./DraftPanel.module.css";
import { DraftLineItem } from "./DraftLineItem";
import type { LineChange } from "./draft";
import type { usePricedDraft } from "./use-priced-draft";

interface DraftLinesProps {
  draft: Draft | undefined;
  products: Map<number, Product>;
  quote: ReturnType<typeof usePricedDraft>;
  locked: boolean;
  change: LineChange | null;
  onEditLine: (line: DraftLine) => void;
  onChange: (change: (draft: Draft) => Draft) => void;
}

/** The lines of the order; the one that was added to last is marked. */
export function DraftLines({ draft, products, quote, locked, change, onEditLine, onChange }: DraftLinesProps) {
  const { t } = useTranslation();
  const around = useRef<HTMLDivElement>(null);
  const lines = draft?.lines ?? [];
  useEffect(() => {
    if (change && !change.added) keepFocus(around.current, change.line.key);
  }, [change]);
  return (
    <div ref={around}>
      {draft && lines.length === 0 ? (
        <Empty icon={<Flame size={44} />} title={t("draft.empty")} hint={t("draft.emptyHint")} />
      ) : (
        <ul className={classes.list} aria-label={t("draft.title")} data-stale={quote.stale}>
          {lines.map((line) => (
            <DraftLineItem
              key={line.key}
              line={line}
              product={products.get(line.productId)}
              total={quote.quoted?.lineTotals.get(line.key)}
              locked={locked}
              newest={change?.added === true && change.line.key === line.key}
              onEdit={onEditLine}
              onChange={onChange}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** The focus that went with a removed line goes to the last one that is left, or to the title of the bill. */
function keepFocus(around: HTMLElement | null, key: string): void {
  if (document.activeElement !== document.body || !around) return;
  const left = around.querySelector<HTMLElement>("li:last-child");
  const title = around.closest("aside")?.querySelector<HTMLElement>("[data-bill-title]");
  (left ?? title)?.focus({ preventScroll: key === "" });
}
