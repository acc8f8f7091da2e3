import { Alert, Button, Text } from "@mantine/core";
import { Banknote, CreditCard, Hourglass, QrCode } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Order, PaymentMethod } from "@/api/types";
import { Choice } from "@/components/Choice";
import { rupiah } from "@/lib/money";
import { useKeys } from "@/lib/use-keys";
import { AmountPad } from "./AmountPad";
import { amountOf, type Entry, isEmpty, NOTHING, press, propose } from "./entry";
import { useTyped } from "./use-typed";
import { PartsList } from "./PartsList";
import { PayError } from "./PayError";
import classes from "./PaymentForm.module.css";
import { CashSums, QuickAmounts } from "./CashSums";
import { type usePay, usePayments } from "./queries";
import { tenderOf } from "./tender";

const METHODS = [
  { value: "cash", icon: Banknote, keys: ["F6", "t"] },
  { value: "qris", icon: QrCode, keys: ["F7", "q"] },
  { value: "card", icon: CreditCard, keys: ["F10", "k"] },
] as const;
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

interface PaymentFormProps {
  order: Order;
  pay: ReturnType<typeof usePay>;
}

/**
 * The payment of an order, whole or in parts: what is left in very large figures, then how and how
 * much. Cash pays the amount rounded to coins, QRIS and card the exact one. Enter takes the money.
 */
export function PaymentForm({ order, pay }: PaymentFormProps) {
  const { t } = useTranslation();
  const { method: picked, entry, setMethod, setEntry } = useTyped(order.id);
  const [splits, setSplits] = useState(false);
  const partButton = useRef<HTMLButtonElement>(null);
  const payments = usePayments(order.id, order.paid > 0);
  const method = pay.waiting?.method ?? picked;
  const rest = method === "cash" ? order.cash_due : order.due;
  const tender = tenderOf(method, rest, amountOf(entry));
  const locked = pay.waiting !== null;

  const type = (change: (before: Entry) => Entry) => {
    if (!locked) setEntry(change);
  };
  const pick = (next: PaymentMethod) => {
    setMethod(next);
    pay.reset(); // what was said of the other way to pay
  };
  const take = (part: boolean) => {
    if (locked || pay.isPending) return;
    if (part ? !tender.isPart : !tender.isWhole) return;
    pay.pay({ method, amount: tender.amount, expected_total: order.total, ...tender.cash });
    setEntry(NOTHING);
    setSplits(false);
  };
  useKeys(
    {
      ...Object.fromEntries(DIGITS.map((digit) => [digit, () => type((e) => press(e, digit))])),
      Backspace: () => type((e) => press(e, "back")),
      Escape: () => type(() => NOTHING),
      Enter: () => (tender.isPart ? partButton.current?.focus() : take(false)),
      ...Object.fromEntries(
        METHODS.flatMap(({ value, keys }) => keys.map((key) => [key, () => !locked && pick(value)])),
      ),
    },
    true,
  );

  return (
    <div className={classes.payment}>
      <div className={classes.methods}>
        <Choice
          label={t("pay.methods")}
          value={method}
          disabled={locked}
          onChange={pick}
          options={METHODS.map(({ value, icon: Icon }) => ({
            value,
            label: (
              <>
                <Icon size={20} aria-hidden="true" /> {t(`pay.${value}`)}
              </>
            ),
          }))}
        />
      </div>
      <div className={classes.due}>
        <span>{t(order.paid > 0 ? "pay.rest" : "pay.due")}</span>
        <strong data-testid="due">{rupiah(rest)}</strong>
        {rest !== order.due && <small>{t("pay.exactDue", { amount: rupiah(order.due) })}</small>}
      </div>
      <PartsList payments={payments.data ?? []} />
      {pay.waiting && !pay.isPending && (
        <Alert color="wood" icon={<Hourglass />} title={t("pay.waiting")} role="status">
          <Button mt="xs" onClick={pay.again} data-own-enter>
            {t("pay.resend")}
          </Button>
        </Alert>
      )}
      <PayError pay={pay} order={order} />
      {method === "cash" && (
        <QuickAmounts due={rest} locked={locked} onPick={(sum) => setEntry(propose(sum))} />
      )}
      {method === "cash" || splits || !isEmpty(entry) ? (
        <AmountPad locked={locked} onPress={(key) => type((e) => press(e, key))} />
      ) : (
        <div className={classes.ask}>
          <Text fz="lg" ta="center" maw={380}>
            {t(`pay.ask_${method}`)}
          </Text>
          <Button variant="default" disabled={locked} onClick={() => setSplits(true)}>
            {t("pay.otherAmount")}
          </Button>
        </div>
      )}
      <CashSums method={method} tender={tender} entered={amountOf(entry)} rest={rest} />
      <div className={classes.acts}>
        {tender.isPart && (
          <Button
            ref={partButton}
            size="xl"
            color="ember"
            variant="light"
            data-own-enter
            disabled={locked || pay.isPending}
            onClick={() => take(true)}
          >
            {t("pay.takePart", { amount: rupiah(tender.amount) })}
          </Button>
        )}
        <Button
          size="xl"
          color={method === "cash" ? "leaf" : "ember"}
          disabled={!tender.isWhole || (locked && !pay.isPending)}
          loading={pay.isPending}
          onClick={() => take(false)}
        >
          {t(method === "cash" ? "pay.confirmCash" : `pay.confirm_${method}`)}
        </Button>
      </div>
    </div>
  );
}
