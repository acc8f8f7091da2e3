import { Alert, Button, Group, Title } from "@mantine/core";
import { Flame, Hourglass, Send } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useTableName } from "@/api/queries";
import { ApiError } from "@/api/error";
import type { Category, Product } from "@/api/types";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { PriceChangedNote } from "@/components/PriceChangedNote";
import { Totals } from "@/components/Totals";
import type { Draft } from "@/lib/database";
import classes from "./DraftPanel.module.css";
import { DraftLineItem } from "./DraftLineItem";
import { edit } from "./use-draft";
import { useQuote } from "./use-quote";
import type { useSendOrder } from "./use-send-order";

interface DraftPanelProps {
  draft: Draft | undefined;
  categories: Category[];
  send: ReturnType<typeof useSendOrder>;
  /** @param expectedTotal the total on the screen in rupiah, when it is the server's. */
  onSend: (expectedTotal: number | null) => void;
}

/** The order being written: its lines, its totals from the server, and the button that sends it. */
export function DraftPanel({ draft, categories, send, onSend }: DraftPanelProps) {
  const { t } = useTranslation();
  const quote = useQuote(draft);
  const products = new Map<number, Product>(
    categories.flatMap((category) => category.products).map((product) => [product.id, product]),
  );
  const lines = draft?.lines ?? [];
  const changed = send.error instanceof ApiError ? send.error.quote : null;

  return (
    <>
      <DraftHead draft={draft} locked={send.waiting} />
      {draft && lines.length === 0 ? (
        <Empty icon={<Flame size={44} />} title={t("draft.empty")} hint={t("draft.emptyHint")} />
      ) : (
        <ul className={classes.lines} aria-label={t("draft.title")}>
          {lines.map((line) => (
            <DraftLineItem
              key={line.key}
              line={line}
              product={products.get(line.productId)}
              total={quote.quoted?.lineTotals.get(line.key)}
              stale={quote.stale}
              locked={send.waiting}
            />
          ))}
        </ul>
      )}
      <footer className={classes.foot}>
        {send.waiting && !send.isPending && (
          <Alert color="wood" icon={<Hourglass />} title={t("draft.waiting")} role="status" />
        )}
        {changed && send.expectedTotal !== null ? (
          <PriceChangedNote
            before={send.expectedTotal}
            now={changed.total}
            onAccept={() => onSend(changed.total)}
          />
        ) : (
          send.error && <ErrorNote error={send.error} />
        )}
        {quote.error && !send.error && lines.length > 0 && (
          <ErrorNote error={quote.error} onRetry={() => void quote.retry()} />
        )}
        {lines.length > 0 && <Totals of={quote.quoted?.totals} stale={quote.stale} />}
        <Button
          fullWidth
          size="xl"
          leftSection={<Send size={20} />}
          disabled={lines.length === 0}
          loading={send.isPending}
          onClick={() => onSend(quote.stale ? null : (quote.quoted?.totals.total ?? null))}
        >
          {t(send.waiting ? "draft.resend" : "draft.send")}
        </Button>
      </footer>
    </>
  );
}

function DraftHead({ draft, locked }: { draft: Draft | undefined; locked: boolean }) {
  const { t } = useTranslation();
  const table = useTableName()(draft?.tableId);
  const where =
    draft?.type === "dine_in" && table ? t("table.name", { name: table }) : draft && t(`type.${draft.type}`);
  return (
    <Group className={classes.head ?? ""} justify="space-between" wrap="nowrap">
      <div>
        <Title order={2} fz={24}>
          {t("draft.title")}
        </Title>
        <span className={classes.where}>{where ?? "\u00a0"}</span>
      </div>
      {(draft?.lines.length ?? 0) > 0 && (
        <Button
          variant="subtle"
          color="wood"
          disabled={locked}
          onClick={() => void edit((before) => ({ ...before, lines: [] }))}
        >
          {t("draft.clear")}
        </Button>
      )}
    </Group>
  );
}
