import { Button, Stack, Text, Title } from "@mantine/core";
import { CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useMay } from "@/api/may";
import type { Order } from "@/api/types";
import { Totals } from "@/components/Totals";
import { paths } from "@/lib/paths";

/** The order is with the kitchen: its number, and whether to pay now or go on. */
export function SentPanel({ order, onNext }: { order: Order; onNext: () => void }) {
  const { t } = useTranslation();
  const may = useMay();
  return (
    <Stack h="100%" p="lg" justify="space-between" role="status">
      <Stack align="center" gap="xs" mt={56}>
        <Text c="leaf.7" lh={0}>
          <CircleCheck size={56} strokeWidth={1.6} />
        </Text>
        <Title order={2}>{t("sent.title")}</Title>
        <Text c="dimmed">{t("sent.number")}</Text>
        <Text fz={44} fw={560} ff="heading" lh={1} data-testid="order-number">
          {order.number}
        </Text>
      </Stack>
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
    </Stack>
  );
}
