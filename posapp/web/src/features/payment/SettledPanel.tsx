import { Button, Stack, Text, Title } from "@mantine/core";
import { Ban, HandCoins, Receipt } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Order, PaymentInput } from "@/api/types";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { usePayments } from "./queries";
import { PartsList } from "./PartsList";

interface SettledPanelProps {
  order: Order;
  /** The payment that was made here and not taken, for the bill was settled already. */
  refused: PaymentInput | null;
}

/** A bill that takes no money any more: how it was paid, when and by whom; and what to give back. */
export function SettledPanel({ order, refused }: SettledPanelProps) {
  const { t } = useTranslation();
  const payments = usePayments(order.id, true);
  const voided = order.voids.find(({ line_id }) => line_id === null);
  const Icon = refused ? HandCoins : voided ? Ban : Receipt;
  return (
    <Stack h="100%" p="xl" justify="center" maw={560} mx="auto" role={refused ? "alert" : "status"}>
      <Text c={refused ? "var(--ember)" : "dimmed"} lh={0} ta="center">
        <Icon size={60} strokeWidth={1.5} aria-hidden="true" />
      </Text>
      <Title order={2} ta="center">
        {t(refused ? "pay.notTaken" : voided ? "pay.voided" : "pay.already")}
      </Title>
      {refused && (
        <Text ta="center" fz="lg">
          {refused.method === "cash"
            ? t("pay.giveBack", { amount: rupiah(refused.tendered ?? refused.amount) })
            : t("pay.checkTwice", { amount: rupiah(refused.amount), method: t(`pay.${refused.method}`) })}
        </Text>
      )}
      {voided && (
        <Text ta="center">
          {t("pay.voidedBy", { reason: voided.reason, name: voided.approved_by })}
        </Text>
      )}
      <PartsList payments={payments.data ?? []} />
      <SecondTapGuard>
        <Stack>
          {!voided && (
            <Button size="lg" component={Link} to={paths.receipt(String(order.id))}>
              {t("receipt.show")}
            </Button>
          )}
          <Button size="lg" variant="default" component={Link} to={paths.orders}>
            {t("orders.title")}
          </Button>
        </Stack>
      </SecondTapGuard>
    </Stack>
  );
}
