import { Alert, Button, VisuallyHidden } from "@mantine/core";
import { Ban, Hourglass, Send } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import type { Product } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { PriceChangedNote } from "@/components/PriceChangedNote";
import { Totals } from "@/components/Totals";
import type { Draft } from "@/lib/database";
import { rupiah } from "@/lib/money";
import { useKeys } from "@/lib/use-keys";
import classes from "./DraftPanel.module.css";
import type { LineChange } from "./draft";
import { beginNext } from "./use-draft";
import type { usePricedDraft } from "./use-priced-draft";
import type { Shown, useSendOrder } from "./use-send-order";

interface DraftFootProps {
  draft: Draft | undefined;
  products: Map<number, Product>;
  quote: ReturnType<typeof usePricedDraft>;
  send: ReturnType<typeof useSendOrder>;
  change: LineChange | null;
  onSend: (shown: Shown | null) => void;
}

/** The sums of the order, what stands in its way, and the button that sends it. */
export function DraftFoot({ draft, products, quote, send, change, onSend }: DraftFootProps) {
  const { t } = useTranslation();
  const empty = (draft?.lines.length ?? 0) === 0;
  const { quoted, stale, soldOut } = quote;
  const shown = quoted && !stale ? { body: quoted.body, total: quoted.totals.total } : null;
  const barred = empty || (soldOut.length > 0 && !send.waiting);
  const tap = () => {
    if (!barred && !send.isPending) onSend(shown);
  };
  useKeys({ F8: tap });
  const nameOf = (id: number) => products.get(id)?.name ?? t("draft.unknown");

  return (
    <footer className={classes.foot}>
      {send.waiting && !send.isPending && (
        <Alert color="wood" icon={<Hourglass />} title={t("draft.waiting")} role="status">
          <Button variant="light" onClick={() => void beginNext()}>
            {t("parked.next")}
          </Button>
        </Alert>
      )}
      {soldOut.map((line) => (
        <Alert
          key={line.key}
          color="ember"
          icon={<Ban />}
          title={t("line.soldOut", { name: nameOf(line.productId) })}
          role="alert"
        />
      ))}
      <SendError send={send} onSend={onSend} shown={shown} />
      {quote.error && !send.error && !empty && (
        <ErrorNote error={quote.error} onRetry={() => void quote.retry()} />
      )}
      {!empty && <Totals of={quoted?.totals} stale={stale} />}
      <VisuallyHidden component="p" aria-live="polite" m={0}>
        {change &&
          t(change.added ? "line.added" : change.line.quantity > 0 ? "line.fewer" : "line.removed", {
            name: nameOf(change.line.productId),
            quantity: change.line.quantity,
          })}
        {!empty && shown && ` ${t("totals.total")} ${rupiah(shown.total)}`}
      </VisuallyHidden>
      <Button
        fullWidth
        size="xl"
        leftSection={<Send size={20} />}
        disabled={barred}
        loading={send.isPending}
        onClick={tap}
      >
        {t(send.waiting ? "draft.resend" : "draft.send")}
      </Button>
    </footer>
  );
}

interface SendErrorProps extends Pick<DraftFootProps, "send" | "onSend"> {
  shown: Shown | null;
}

/** Why the order was not taken: another total than the one that was shown, or any other refusal. */
function SendError({ send, onSend, shown }: SendErrorProps) {
  if (!send.error) return null;
  const now = send.error instanceof ApiError ? send.error.quote : null;
  if (!now || send.expectedTotal === null) return <ErrorNote error={send.error} />;
  return (
    <PriceChangedNote
      before={send.expectedTotal}
      now={now.total}
      onAccept={() => onSend(shown && { ...shown, total: now.total })}
    />
  );
}
