import { Skeleton, Stack, Title, VisuallyHidden } from "@mantine/core";
import { type KeyboardEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFloors } from "@/api/queries";
import type { Floor } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Sheet } from "@/components/Sheet";
import { useRovingFocus } from "@/components/use-roving-focus";
import { BusyTable } from "./BusyTable";
import classes from "./TablePicker.module.css";
import { typeAhead } from "./type-ahead";

type Table = Floor["tables"][number];

interface TablePickerProps {
  chosenId: number | null;
  onClose: () => void;
  onPick: (tableId: number) => void;
}

/** Every table by floor, as it is at this moment; one that is taken leads to its orders first. */
export function TablePicker({ chosenId, onClose, onPick }: TablePickerProps) {
  const { t } = useTranslation();
  const floors = useFloors({ live: true });
  const [busyId, setBusyId] = useState<number | null>(null);
  const tables = floors.data?.flatMap((floor) => floor.tables) ?? [];
  const busy = tables.find(({ id }) => id === busyId);
  const pick = ({ id, open_orders }: Table) => {
    if (open_orders.length > 0) setBusyId(id);
    else onPick(id);
  };
  if (busy) {
    return <BusyTable table={busy} onClose={() => setBusyId(null)} onSecondBill={() => onPick(busy.id)} />;
  }
  return (
    <Sheet onClose={onClose} width={860} title={t("table.title")}>
      {floors.isError && !floors.data && (
        <ErrorNote error={floors.error} onRetry={() => void floors.refetch()} />
      )}
      {floors.isPending ? (
        <Skeleton h={240} />
      ) : (
        <Tables floors={floors.data ?? []} chosenId={chosenId} onPick={pick} />
      )}
    </Sheet>
  );
}

interface TablesProps {
  floors: Floor[];
  chosenId: number | null;
  onPick: (table: Table) => void;
}

/** Arrows go from table to table, and letters to the table of that name. */
function Tables({ floors, chosenId, onPick }: TablesProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const { ref, onKeyDown } = useRovingFocus<HTMLDivElement>("button");
  useEffect(() => {
    // The tables may come after the sheet, which then has the focus itself.
    if (!document.activeElement?.matches("dialog")) return;
    ref.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
  }, [ref]);
  const find = (event: KeyboardEvent) => {
    onKeyDown(event);
    const buttons = [...(ref.current?.querySelectorAll<HTMLElement>("[data-table]") ?? [])];
    const names = buttons.map(({ dataset }) => dataset.table ?? "");
    const found = typeAhead(names, typed, event);
    if (!found) return;
    setTyped(found.typed);
    buttons[found.at]?.focus();
  };
  const first = floors[0]?.tables[0]?.id;
  return (
    <Stack gap="lg" ref={ref} onKeyDown={find}>
      <VisuallyHidden component="p" aria-live="polite" m={0}>
        {typed && t("table.name", { name: typed })}
      </VisuallyHidden>
      {floors.map((floor) => (
        <section key={floor.id} aria-label={floor.name}>
          <Title order={3} fz="md" mb="xs">
            {floor.name}
          </Title>
          <div className={classes.grid}>
            {floor.tables.map((table) => (
              <button
                key={table.id}
                type="button"
                className={classes.table}
                aria-pressed={table.id === chosenId}
                data-autofocus={table.id === (chosenId ?? first) || undefined}
                data-table={table.name}
                data-busy={table.open_orders.length > 0}
                onClick={() => onPick(table)}
              >
                <strong>{table.name}</strong>
                <span>{t("table.seats", { count: table.seats })}</span>
                {table.open_orders.length > 0 && <span className={classes.state}>{t("table.busy")}</span>}
              </button>
            ))}
          </div>
        </section>
      ))}
    </Stack>
  );
}
