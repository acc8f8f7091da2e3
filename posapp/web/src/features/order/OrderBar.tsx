import { ActionIcon, Button, TextInput } from "@mantine/core";
import { Armchair, Search, UserRound, X } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useTableName } from "@/api/queries";
import { Choice } from "@/components/Choice";
import type { Draft } from "@/lib/database";
import { useKeys } from "@/lib/use-keys";
import classes from "./OrderBar.module.css";
import { edit } from "./use-draft";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const TYPES = ["dine_in", "takeaway", "delivery"] as const;

interface OrderBarProps {
  draft: Draft;
  locked: boolean;
  query: string;
  onQuery: (query: string) => void;
  /** Takes the first match; returns whether there was one to take. */
  onEnter: () => boolean;
  onPickTable: () => void;
  onGuest: () => void;
}

/** The type and table of the order, and the search over the menu: "/", a few letters, Enter, and the next. */
export function OrderBar(props: OrderBarProps) {
  const { draft, locked, query, onQuery, onEnter, onPickTable, onGuest } = props;
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const name = useTableName()(draft.tableId);
  const searchFrom = (text: string) => {
    field.current?.focus();
    onQuery(text);
  };
  useKeys({
    "/": () => field.current?.focus(),
    // A dish by its number, as it stands on its tile.
    ...Object.fromEntries(DIGITS.map((digit) => [digit, locked ? undefined : () => searchFrom(digit)])),
    F2: locked ? undefined : onPickTable,
    F4: locked ? undefined : onGuest,
  });

  return (
    <div className={classes.bar}>
      <div className={classes.types}>
        <Choice
          label={t("line.type")}
          value={draft.type}
          disabled={locked}
          onChange={(type) => void edit((before) => ({ ...before, type }))}
          options={TYPES.map((value) => ({ value, label: t(`type.${value}`) }))}
        />
      </div>
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
      <GuestButton draft={draft} locked={locked} onGuest={onGuest} />
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
          if ((key === "Enter" && onEnter()) || key === "Escape") onQuery("");
          if (key === "ArrowDown") document.querySelector<HTMLElement>("#menu [tabindex='0']")?.focus();
        }}
      />
    </div>
  );
}

type GuestButtonProps = Pick<OrderBarProps, "draft" | "locked" | "onGuest">;

/** Says for whom the order is, as far as it is known, and asks. */
function GuestButton({ draft: { type, guest }, locked, onGuest }: GuestButtonProps) {
  const { t } = useTranslation();
  const known = type === "dine_in" ? guest.count !== null : guest.name !== "";
  const told = type === "dine_in" ? t("guest.people", { count: guest.count ?? 0 }) : guest.name;
  return (
    <Button
      variant="default"
      className={classes.guest ?? ""}
      leftSection={<UserRound size={20} />}
      disabled={locked}
      onClick={onGuest}
    >
      {known ? told : t(`guest.ask.${type}`)}
    </Button>
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
