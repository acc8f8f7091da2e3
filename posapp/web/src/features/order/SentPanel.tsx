import { Button, Stack, Text, Title } from "@mantine/core";
import { CircleCheck } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useMay } from "@/api/may";
import type { Order } from "@/api/types";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import { Totals } from "@/components/Totals";
import { paths } from "@/lib/paths";
import { useWhere } from "./use-where";

/** The order is with the kitchen: its number and table, and whether to pay now or go on. */
export function SentPanel({ order, onNext }: { order: Order; onNext: () => void }) {
  const { t } = useTranslation();
  const may = useMay();
  const where = useWhere()(order.type, order.table_id, order.customer_name);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <Stack h="100%" p="lg" justify="space-between">
      <Stack align="center" gap="xs" mt="4dvh" role="status">
        <Text c="var(--leaf)" lh={0}>
          <CircleCheck size={56} strokeWidth={1.6} />
        </Text>
        <Title order={2} ref={title} tabIndex={-1}>
          {t("sent.title")}
        </Title>
        <Text c="dimmed">{t("sent.number")}</Text>
        <Text fz={44} fw={560} ff="heading" lh={1} data-testid="order-number">
          {order.number}
        </Text>
        <Text fw={600} data-testid="sent-where">
          {where}
        </Text>
      </Stack>
      <SecondTapGuard>
        <Stack>
          <Totals of={order} />
          {may("createPayment") && (
            <Button size="xl" component={Link} to={paths.pay(String(order.id))}>
              {t("sent.pay")}
            </Button>
          )}
          <Button size="lg" variant="default" onClick={onNext}>
            {t("sent.next")}
          </Button>
        </Stack>
      </SecondTapGuard>
    </Stack>
  );
}
