import { Skeleton, Stack, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFloors } from "@/api/queries";
import type { Floor } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Sheet } from "@/components/Sheet";
import classes from "./TablePicker.module.css";

interface TablePickerProps {
  opened: boolean;
  chosenId: number | null;
  onClose: () => void;
  onPick: (tableId: number) => void;
}

/** Every table by floor; those with open orders say so, and can still be chosen for a second order. */
export function TablePicker({ opened, chosenId, onClose, onPick }: TablePickerProps) {
  const { t } = useTranslation();
  const floors = useFloors();
  return (
    <Sheet opened={opened} onClose={onClose} width={860} title={t("table.title")}>
      {floors.isError && !floors.data && (
        <ErrorNote error={floors.error} onRetry={() => void floors.refetch()} />
      )}
      {floors.isPending && <Skeleton h={240} />}
      <Stack gap="lg">
        {floors.data?.map((floor) => (
          <FloorTables key={floor.id} floor={floor} chosenId={chosenId} onPick={onPick} />
        ))}
      </Stack>
    </Sheet>
  );
}

interface FloorTablesProps extends Pick<TablePickerProps, "chosenId" | "onPick"> {
  floor: Floor;
}

function FloorTables({ floor, chosenId, onPick }: FloorTablesProps) {
  const { t } = useTranslation();
  return (
    <section aria-label={floor.name}>
      <Title order={3} fz="md" mb="xs">
        {floor.name}
      </Title>
      <div className={classes.grid}>
        {floor.tables.map(({ id, name, seats, open_orders }) => (
          <button
            key={id}
            type="button"
            className={classes.table}
            aria-pressed={id === chosenId}
            data-busy={open_orders.length > 0}
            onClick={() => onPick(id)}
          >
            <strong>{name}</strong>
            <span>{t("table.seats", { count: seats })}</span>
            {open_orders.length > 0 && <span className={classes.state}>{t("table.busy")}</span>}
          </button>
        ))}
      </div>
    </section>
  );
}
