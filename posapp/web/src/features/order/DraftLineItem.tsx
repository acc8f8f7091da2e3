import { Badge, Button, Skeleton } from "@mantine/core";
import { NotebookPen } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import type { DraftLine } from "@/lib/database";
import { rupiah } from "@/lib/money";
import classes from "./DraftPanel.module.css";
import { MAX_QUANTITY, setNote, setQuantity } from "./draft";
import { NoteEditor } from "./NoteEditor";
import { Stepper } from "./Stepper";
import { edit } from "./use-draft";

interface DraftLineItemProps {
  line: DraftLine;
  product: Product | undefined;
  total: number | undefined;
  stale: boolean;
  locked: boolean;
}

export function DraftLineItem({ line, product, total, stale, locked }: DraftLineItemProps) {
  const { t } = useTranslation();
  const [noting, setNoting] = useState(false);
  const name = product?.name ?? t("draft.unknown");
  const details = detailsOf(line, product);
  return (
    <li className={classes.line}>
      <div className={classes.title}>
        <span>{name}</span>
        <span className={classes.total} data-stale={stale}>
          {total === undefined ? <Skeleton h="1.2em" w={80} /> : rupiah(total)}
        </span>
      </div>
      {details && <p className={classes.details}>{details}</p>}
      {line.note && <p className={`${classes.details} ${classes.note}`}>“{line.note}”</p>}
      {product?.available === false && <Badge color="ember">{t("menu.soldOut")}</Badge>}
      <div className={classes.actions}>
        <Button
          variant="subtle"
          color="wood"
          px="xs"
          ml={-10}
          leftSection={<NotebookPen size={17} />}
          aria-label={t("draft.noteFor", { name })}
          disabled={locked}
          onClick={() => setNoting(true)}
        >
          {t("draft.note")}
        </Button>
        <Stepper
          name={name}
          value={line.quantity}
          min={0}
          max={MAX_QUANTITY}
          disabled={locked}
          onChange={(quantity) => void edit((draft) => setQuantity(draft, line.key, quantity))}
        />
      </div>
      {noting && (
        <NoteEditor
          title={t("draft.noteFor", { name })}
          note={line.note}
          onClose={() => setNoting(false)}
          onSave={(note) => void edit((draft) => setNote(draft, line.key, note))}
        />
      )}
    </li>
  );
}

/** "400 g · Medium rare, Saus jamur", in the menu's words. */
function detailsOf({ variantId, modifierIds }: DraftLine, product: Product | undefined): string {
  if (!product) return "";
  const variant = product.variants.find(({ id }) => id === variantId)?.name;
  const modifiers = product.modifier_groups
    .flatMap((group) => group.modifiers)
    .filter(({ id }) => modifierIds.includes(id))
    .map(({ name }) => name)
    .join(", ");
  return [variant, modifiers].filter(Boolean).join(" · ");
}
