import { Button, Stack, Text, Title } from "@mantine/core";
import { CircleCheck } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import type { Order, Payment } from "@/api/types";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { useKeys } from "@/lib/use-keys";
import { SECOND_TAP_MS } from "@/lib/use-second-tap-guard";

/** The end of a sale: the change to hand back, the receipt, and the way to the next guest. */
export function DonePanel({ order, payment }: { order: Order; payment: Payment }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const panel = useRef<HTMLDivElement>(null);
  const settled = useRef(false);
  useEffect(() => {
    panel.current?.focus();
    const timer = setTimeout(() => {
      settled.current = true;
    }, SECOND_TAP_MS);
    return () => clearTimeout(timer);
  }, []);
  useKeys({
    Enter: () => {
      if (settled.current) void navigate(paths.order);
    },
  });
  return (
    <Stack
      ref={panel}
      tabIndex={-1}
      h="100%"
      p="xl"
      align="center"
      justify="center"
      gap="md"
      ta="center"
      role="status"
    >
      <Text c="var(--leaf)" lh={0}>
        <CircleCheck size={72} strokeWidth={1.5} />
      </Text>
      <Title order={2} fz={36}>
        {t("pay.done")}
      </Title>
      <Text c="dimmed">{t("pay.order", { number: order.number })}</Text>
      {payment.method === "cash" && (
        <div>
          <Text c="dimmed">{t("pay.change")}</Text>
          <Text fz={64} fw={560} ff="heading" lh={1.1} data-testid="change-due">
            {rupiah(payment.change)}
          </Text>
        </div>
      )}
      <SecondTapGuard>
        <Stack mt="lg">
          <Button size="xl" component={Link} to={paths.order}>
            {t("pay.next")}
          </Button>
          <Button size="lg" variant="default" component={Link} to={paths.receipt(String(order.id))}>
            {t("receipt.show")}
          </Button>
        </Stack>
      </SecondTapGuard>
    </Stack>
  );
}
