import { useTranslation } from "react-i18next";
import { useTableName } from "@/api/queries";
import type { OrderType } from "@/api/types";

/** @returns where an order goes, in a few words: its table, or its type and who waits for it. */
export function useWhere() {
  const { t } = useTranslation();
  const tableName = useTableName();
  return (type: OrderType, tableId: number | null | undefined, guestName: string | null | undefined) => {
    const name = tableName(tableId);
    if (type === "dine_in" && name) return t("table.name", { name });
    return [t(`type.${type}`), guestName].filter(Boolean).join(" · ");
  };
}
