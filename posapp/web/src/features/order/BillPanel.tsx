import { ChevronDown, ChevronUp } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { useBackCloses } from "@/components/back-closes";
import type { Draft, DraftLine } from "@/lib/database";
import classes from "./BillPanel.module.css";
import { DraftPanel } from "./DraftPanel";
import { LastSent } from "./LastSent";
import { RefusedOrders } from "./RefusedOrders";
import { SentPanel } from "./SentPanel";
import type { Shown, useSendOrder } from "./use-send-order";

interface BillPanelProps {
  draft: Draft | undefined;
  products: Map<number, Product>;
  send: ReturnType<typeof useSendOrder>;
  onSend: (shown: Shown | null) => void;
  onEditLine: (line: DraftLine) => void;
}

/**
 * The order being written, or the one that was just sent. On a phone it is a sheet at the bottom: its
 * total and its button are always in reach of the thumb, the lines come up when they are asked for.
 */
export function BillPanel({ draft, products, send, onSend, onEditLine }: BillPanelProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  useBackCloses(open, () => setOpen(false));
  const lines = draft?.lines ?? [];
  const sent = lines.length === 0 ? send.data : null;
  const count = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return (
    <aside
      className={classes.bill}
      aria-label={t("draft.title")}
      data-open={open || !!sent}
      onKeyDown={({ key }) => {
        if (key === "Escape") setOpen(false);
      }}
    >
      {sent ? (
        <SentPanel
          order={sent}
          onNext={() => {
            send.reset();
            setOpen(false);
          }}
        />
      ) : (
        <>
          <button
            type="button"
            className={classes.handle}
            aria-expanded={open}
            onClick={() => setOpen((before) => !before)}
          >
            {open ? <ChevronDown aria-hidden="true" /> : <ChevronUp aria-hidden="true" />}
            {t(open ? "line.hideBill" : "line.showBill", { count })}
          </button>
          {draft?.lastSent && <LastSent order={draft.lastSent} />}
          <RefusedOrders busy={count > 0 || send.waiting} />
          <DraftPanel draft={draft} products={products} send={send} onSend={onSend} onEditLine={onEditLine} />
        </>
      )}
    </aside>
  );
}
