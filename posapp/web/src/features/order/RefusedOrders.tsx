import { Alert, Button, Text } from "@mantine/core";
import { Ban } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import type { OrderInput } from "@/api/types";
import { useDetail } from "@/components/ErrorNote";
import type { Outgoing } from "@/lib/database";
import { isParkedOrder, useAllOutgoing } from "@/lib/outgoing";
import { writeAgain } from "./use-draft";
import { useWhere } from "./use-where";

/** Orders that went on beside the next one and were refused: why, and the way back onto the bill. */
export function RefusedOrders({ busy }: { busy: boolean }) {
  return useAllOutgoing()
    .filter(({ slot, refusal }) => refusal && isParkedOrder(slot))
    .map((order) => <RefusedOrder key={order.key} order={order} busy={busy} />);
}

function RefusedOrder({ order, busy }: { order: Outgoing; busy: boolean }) {
  const { t } = useTranslation();
  const { type, table_id, customer_name } = order.body as OrderInput;
  const place = useWhere()(type, table_id, customer_name);
  const { refusal } = order;
  const detail = useDetail(refusal ? new ApiError(refusal.status, refusal.detail, refusal) : null);
  return (
    <Alert color="ember" icon={<Ban />} role="alert" title={t("parked.refused", { where: place })}>
      {detail && <Text size="sm">{detail}</Text>}
      <Button mt="xs" variant="light" disabled={busy} onClick={() => void writeAgain(order)}>
        {t("parked.again")}
      </Button>
    </Alert>
  );
}
