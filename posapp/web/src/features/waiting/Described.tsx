import { useTranslation } from "react-i18next";
import { useTableName } from "@/api/queries";
import type { OrderInput, PaymentInput } from "@/api/types";
import type { Outgoing } from "@/lib/database";
import { rupiah } from "@/lib/money";
import { paidOrderOf } from "@/lib/outgoing";

/** A request in words: which bill's payment and how much, or which table's order. */
export function Described({ outgoing: { slot, body, number } }: { outgoing: Outgoing }) {
  const { t } = useTranslation();
  const tableName = useTableName();
  if (paidOrderOf(slot) !== null) {
    const { method, amount, tendered } = body as PaymentInput;
    const sum = rupiah(tendered ?? amount);
    return t("waiting.payment", { method: t(`pay.${method}`), amount: sum, number: number ?? "?" });
  }
  const { type, table_id, lines } = body as OrderInput;
  const table = tableName(table_id);
  const where = table ? t("table.name", { name: table }) : t(`type.${type}`);
  return t("waiting.order", { where, count: lines.length });
}
