import { ActionIcon, Button, SegmentedControl, TextInput } from "@mantine/core";
import { Armchair, Search, X } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useTableName } from "@/api/queries";
import type { Draft } from "@/lib/database";
import { useKeys } from "@/lib/use-keys";
import classes from "./OrderBar.module.css";
import { edit } from "./use-draft";

const TYPES = ["dine_in", "takeaway", "delivery"] as const;

interface OrderBarProps {
  draft: Draft;
  locked: boolean;
  query: string;
  onQuery: (query: string) => void;
  onEnter: () => void;
  onPickTable: () => void;
}

/** The type and table of the order, and the search over the menu: "/", a few letters, Enter, and the next. */
export function OrderBar({ draft, locked, query, onQuery, onEnter, onPickTable }: OrderBarProps) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const name = useTableName()(draft.tableId);
  useKeys({ "/": () => field.current?.focus() });

  return (
    <div className={classes.bar}>
      <SegmentedControl
        classNames={{ root: classes.types ?? "", label: classes.type ?? "" }}
        value={draft.type}
        disabled={locked}
        onChange={(type) => void edit((before) => ({ ...before, type }))}
        data={TYPES.map((value) => ({ value, label: t(`type.${value}`) }))}
      />
      {draft.type === "dine_in" && (
        <Button
          variant={draft.tableId === null ? "light" : "default"}
          leftSection={<Armchair size={20} />}
          disabled={locked}
          onClick={onPickTable}
        >
          {draft.tableId === null ? t("table.pick") : t("table.name", { name: name ?? "…" })}
        </Button>
      )}
      <TextInput
        ref={field}
        className={classes.search}
        aria-label={t("menu.search")}
        placeholder={t("menu.search")}
        title={t("menu.searchHint")}
        leftSection={<Search size={20} />}
        rightSection={query ? <ClearSearch onClear={() => onQuery("")} /> : <kbd>/</kbd>}
        value={query}
        onChange={(event) => onQuery(event.currentTarget.value.replace(/^\/+/, ""))}
        onKeyDown={({ key }) => {
          if (key === "Enter") onEnter();
          if (key === "Enter" || key === "Escape") onQuery("");
        }}
      />
    </div>
  );
}

function ClearSearch({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation();
  return (
    <ActionIcon aria-label={t("menu.clear")} onClick={onClear}>
      <X size={20} />
    </ActionIcon>
  );
}
