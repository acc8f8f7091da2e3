import { Alert, Button, SegmentedControl, Text } from "@mantine/core";
import { Banknote, CircleQuestionMark, CreditCard, Hourglass, QrCode } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Order, PaymentInput, PaymentMethod } from "@/api/types";
import { ApiError } from "@/api/error";
import { ErrorNote } from "@/components/ErrorNote";
import { PriceChangedNote } from "@/components/PriceChangedNote";
import { rupiah } from "@/lib/money";
import { CashPad } from "./CashPad";
import type { usePay } from "./queries";
import classes from "./PaymentForm.module.css";

const METHODS = [
  { value: "cash", icon: Banknote },
  { value: "qris", icon: QrCode },
  { value: "card", icon: CreditCard },
] as const;

interface PaymentFormProps {
  order: Order;
  pay: ReturnType<typeof usePay>;
}

/** The payment of an order: cash pays the amount rounded to coins, QRIS and card the exact one. */
export function PaymentForm({ order, pay }: PaymentFormProps) {
  const { t } = useTranslation();
  const [picked, setPicked] = useState<PaymentMethod>("cash");
  const method = pay.waiting?.method ?? picked;
  const amount = method === "cash" ? order.cash_due : order.due;
  const send = (payment: PaymentInput) => pay.mutate({ ...payment, expected_total: order.total });

  return (
    <div className={classes.payment}>
      <SegmentedControl
        fullWidth
        aria-label={t("pay.methods")}
        value={method}
        disabled={pay.waiting !== undefined}
        onChange={(value) => setPicked(value)}
        classNames={{ root: classes.methods ?? "", label: classes.method ?? "" }}
        data={METHODS.map(({ value, icon: Icon }) => ({
          value,
          label: (
            <span className={classes.label}>
              <Icon size={20} aria-hidden="true" /> {t(`pay.${value}`)}
            </span>
          ),
        }))}
      />
      <div className={classes.due}>
        <span>{t("pay.due")}</span>
        <strong data-testid="due">{rupiah(amount)}</strong>
        <small>
          {amount === order.due ? "\u00a0" : t("pay.exactDue", { amount: rupiah(order.due) })}
        </small>
      </div>
      {pay.waiting && !pay.isPending && (
        <Alert color="wood" icon={<Hourglass />} title={t("pay.waiting")} role="status">
          <Button mt="xs" onClick={pay.again}>
            {t("pay.resend")}
          </Button>
        </Alert>
      )}
      <PayError pay={pay} order={order} />
      {method === "cash" ? (
        <CashPad
          due={amount}
          locked={pay.waiting !== undefined}
          pending={pay.isPending}
          onPay={(tendered) => send({ method, amount, tendered })}
        />
      ) : (
        <div className={classes.ask}>
          <Text fz="lg" ta="center" maw={380}>
            {t(`pay.ask_${method}`)}
          </Text>
          <Button
            size="xl"
            disabled={pay.waiting !== undefined && !pay.isPending}
            loading={pay.isPending}
            onClick={() => send({ method, amount })}
          >
            {t(`pay.confirm_${method}`)}
          </Button>
        </div>
      )}
    </div>
  );
}

/** The reason why a payment was not taken: another total, a sum to be confirmed, or any other refusal. */
function PayError({ pay, order }: PaymentFormProps) {
  const { t } = useTranslation();
  if (!pay.error) return null;
  const sent = typeof pay.variables === "object" ? pay.variables : null;
  const error = pay.error instanceof ApiError ? pay.error : null;
  if (error?.quote && sent?.expected_total != null) {
    return <PriceChangedNote before={sent.expected_total} now={order.total} />;
  }
  if (error?.question === "confirm_tendered" && sent) {
    const amount = rupiah(sent.tendered ?? sent.amount);
    return (
      <Alert color="wood" icon={<CircleQuestionMark />} title={t("pay.absurd", { amount })} role="alert">
        <Button mt="xs" onClick={() => pay.mutate({ ...sent, confirmed: true })}>
          {t("pay.absurdConfirm", { amount })}
        </Button>
      </Alert>
    );
  }
  return <ErrorNote error={pay.error} />;
}
