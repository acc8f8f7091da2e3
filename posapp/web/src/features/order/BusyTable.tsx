import { Button, Skeleton, Stack, Text } from "@mantine/core";
import { ReceiptText } from "lucide-react";
import { useQueries } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { orderOf } from "@/api/orders";
import type { Floor } from "@/api/types";
import { Sheet } from "@/components/Sheet";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";

interface BusyTableProps {
  table: Floor["tables"][number];
  onClose: () => void;
  onSecondBill: () => void;
}

/** A table that is taken: its orders to open, and, said in words, a second bill beside them. */
export function BusyTable({ table, onClose, onSecondBill }: BusyTableProps) {
  const { t } = useTranslation();
  const orders = useQueries({ queries: table.open_orders.map((id) => orderOf(id)) });
  return (
    <Sheet onClose={onClose} width={480} title={t("busy.title", { name: table.name })}>
      <Stack>
        <Text>{t("busy.hint")}</Text>
        {orders.map(({ data }, at) =>
          data ? (
            // In the place of the picker's own entry of the history: Back leads to the order screen.
            <Button
              key={data.id}
              size="lg"
              component={Link}
              to={paths.pay(String(data.id))}
              replace
              leftSection={<ReceiptText size={20} />}
              data-autofocus={at === 0 || undefined}
            >
              {t("busy.open", { number: data.number, amount: rupiah(data.due) })}
            </Button>
          ) : (
            <Skeleton key={table.open_orders[at]} h={50} />
          ),
        )}
        <Button size="lg" variant="default" onClick={onSecondBill}>
          {t("busy.second")}
        </Button>
      </Stack>
    </Sheet>
  );
}
