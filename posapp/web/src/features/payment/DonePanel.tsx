import { Button, Stack, Text, Title } from "@mantine/core";
import { CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Order, Payment } from "@/api/types";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";

/** The end of a sale: the change to hand back, and the way to the next guest. */
export function DonePanel({ order, payment }: { order: Order; payment: Payment | null }) {
  const { t } = useTranslation();
  return (
    <Stack h="100%" p="xl" align="center" justify="center" gap="md" ta="center" role="status">
      <Text c="leaf.7" lh={0}>
        <CircleCheck size={72} strokeWidth={1.5} />
      </Text>
      <Title order={2} fz={36}>
        {t("pay.done")}
      </Title>
      <Text c="dimmed">
        {payment ? t("pay.order", { number: order.number }) : t("pay.already")}
      </Text>
      {payment?.method === "cash" && (
        <div>
          <Text c="dimmed">{t("pay.change")}</Text>
          <Text fz={64} fw={560} ff="heading" lh={1.1} data-testid="change-due">
            {rupiah(payment.change)}
          </Text>
        </div>
      )}
      <SecondTapGuard>
        <Button size="xl" mt="lg" component={Link} to={paths.order}>
          {t("pay.next")}
        </Button>
      </SecondTapGuard>
    </Stack>
  );
}
