import { Button, Group, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import type { Draft, DraftLine } from "@/lib/database";
import classes from "./DraftPanel.module.css";
import { DraftFoot } from "./DraftFoot";
import { DraftLines } from "./DraftLines";
import { UndoBar } from "./UndoBar";
import { useLineChange } from "./use-line-change";
import { usePricedDraft } from "./use-priced-draft";
import { useRemovals } from "./use-removals";
import type { Shown, useSendOrder } from "./use-send-order";
import { useWhere } from "./use-where";

interface DraftPanelProps {
  draft: Draft | undefined;
  /** The menu, by product id. */
  products: Map<number, Product>;
  send: ReturnType<typeof useSendOrder>;
  /** @param shown the order on the screen, when its total is the server's word on just this. */
  onSend: (shown: Shown | null) => void;
  onEditLine: (line: DraftLine) => void;
}

/** The order being written: its lines, its totals from the server, and the button that sends it. */
export function DraftPanel({ draft, products, send, onSend, onEditLine }: DraftPanelProps) {
  const quote = usePricedDraft(draft, products);
  const removals = useRemovals();
  const change = useLineChange(draft);
  return (
    <>
      <DraftHead
        draft={draft}
        locked={send.waiting}
        onClear={() => removals.change((before) => ({ ...before, lines: [] }))}
      />
      {/* What a removal leaves lies elsewhere a moment later: a second tap would hit the next line. */}
      <SecondTapGuard className={classes.lines} appeared={removals.last}>
        <DraftLines
          draft={draft}
          products={products}
          quote={quote}
          locked={send.waiting}
          change={change}
          onEditLine={onEditLine}
          onChange={removals.change}
        />
      </SecondTapGuard>
      <UndoBar removals={removals} products={products} />
      <DraftFoot draft={draft} quote={quote} send={send} change={change} products={products} onSend={onSend} />
    </>
  );
}

interface DraftHeadProps {
  draft: Draft | undefined;
  locked: boolean;
  onClear: () => void;
}

function DraftHead({ draft, locked, onClear }: DraftHeadProps) {
  const { t } = useTranslation();
  const where = useWhere();
  return (
    <Group className={classes.head ?? ""} justify="space-between" wrap="nowrap">
      <div>
        <Title order={2} fz={22} tabIndex={-1} data-bill-title>
          {t("draft.title")}
        </Title>
        <span className={classes.where}>{draft ? where(draft.type, draft.tableId, draft.guest.name) : "\u00a0"}</span>
      </div>
      {(draft?.lines.length ?? 0) > 0 && (
        <Button variant="subtle" color="wood" px="xs" flex="none" disabled={locked} onClick={onClear}>
          {t("draft.clear")}
        </Button>
      )}
    </Group>
  );
}
