import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Order } from "@/api/types";
import { rupiah } from "@/lib/money";

/** The sum for who takes no money, and where it is paid. */
export function BillToPay({ order }: { order: Order }) {
  const { t } = useTranslation();
  return (
    <Stack h="100%" p="xl" align="center" justify="center" gap="xs" ta="center">
      <Text c="dimmed">{t("pay.due")}</Text>
      <Text fz={56} fw={560} ff="heading" lh={1.1} data-testid="due">
        {rupiah(order.due)}
      </Text>
      <Text maw={360}>{t("pay.atTheTill")}</Text>
    </Stack>
  );
}
