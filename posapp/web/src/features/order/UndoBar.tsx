import { ActionIcon, Button } from "@mantine/core";
import { Undo2, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import classes from "./UndoBar.module.css";
import type { useRemovals } from "./use-removals";

interface UndoBarProps {
  removals: ReturnType<typeof useRemovals>;
  products: Map<number, Product>;
}

/** Says what was taken out of the order last, and puts it back. */
export function UndoBar({ removals: { last, undo, dismiss }, products }: UndoBarProps) {
  const { t } = useTranslation();
  if (!last) return null;
  const [first] = last;
  const name = (first && products.get(first.line.productId)?.name) ?? t("draft.unknown");
  return (
    <div className={classes.bar}>
      <span className={classes.text}>
        {last.length === 1 ? t("undo.removedOne", { name }) : t("undo.removedAll", { lines: last.length })}
      </span>
      <Button variant="subtle" px="sm" leftSection={<Undo2 size={18} />} onClick={undo}>
        {t("undo.undo")}
      </Button>
      <ActionIcon aria-label={t("undo.dismiss")} onClick={dismiss}>
        <X size={18} />
      </ActionIcon>
    </div>
  );
}
