import { Alert, Button } from "@mantine/core";
import { CircleQuestionMark } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import type { Order } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { PriceChangedNote } from "@/components/PriceChangedNote";
import { SecondTapGuard } from "@/components/SecondTapGuard";
import { rupiah } from "@/lib/money";
import type { usePay } from "./queries";

interface PayErrorProps {
  order: Order;
  pay: ReturnType<typeof usePay>;
}

/** The reason why a payment was not taken: another total, a sum to be confirmed, or any other refusal. */
export function PayError({ pay, order }: PayErrorProps) {
  const { t } = useTranslation();
  if (!pay.error || pay.isPending) return null;
  const sent = pay.body;
  const error = pay.error instanceof ApiError ? pay.error : null;
  if (error?.quote && sent?.expected_total != null) {
    return <PriceChangedNote before={sent.expected_total} now={order.total} />;
  }
  if (error?.question === "confirm_tendered" && sent) {
    const amount = rupiah(sent.tendered ?? sent.amount);
    return (
      <Alert color="wood" icon={<CircleQuestionMark />} title={t("pay.absurd", { amount })} role="alert">
        <SecondTapGuard>
          <Button mt="xs" data-own-enter onClick={() => pay.pay({ ...sent, confirmed: true })}>
            {t("pay.absurdConfirm", { amount })}
          </Button>
        </SecondTapGuard>
      </Alert>
    );
  }
  return <ErrorNote error={pay.error} />;
}
