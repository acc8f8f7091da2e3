import { Button } from "@mantine/core";
import { Delete } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { quickAmounts, rupiah, typeAmount } from "@/lib/money";
import { useKeys } from "@/lib/use-keys";
import classes from "./CashPad.module.css";

const KEYS = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "000", "0", "back"];
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

interface CashPadProps {
  /** The amount due in cash, in rupiah. */
  due: number;
  locked: boolean;
  pending: boolean;
  onPay: (tendered: number) => void;
}

/** The cash tendered, by one tap or by the pad, and the change in large digits. */
export function CashPad({ due, locked, pending, onPay }: CashPadProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const tendered = Number(typed);
  const enough = tendered >= due;
  const press = (key: string) => {
    if (!locked) setTyped((before) => typeAmount(before, key));
  };
  const confirm = () => {
    if (enough && !locked && !pending) onPay(tendered);
  };
  useKeys({
    ...Object.fromEntries(DIGITS.map((digit) => [digit, () => press(digit)])),
    Backspace: () => press("back"),
    Escape: () => press("clear"),
    Enter: confirm,
  });

  return (
    <>
      <div className={classes.quick}>
        {quickAmounts(due).map((amount) => (
          <Button
            key={amount}
            variant="default"
            px={4}
            fz={15}
            disabled={locked}
            onClick={() => setTyped(String(amount))}
          >
            {amount === due ? t("pay.exact") : rupiah(amount)}
          </Button>
        ))}
      </div>
      <div className={classes.pad} role="group" aria-label={t("pay.pad")}>
        {KEYS.map((key) => (
          <button
            key={key}
            type="button"
            disabled={locked}
            aria-label={key === "back" ? t("pay.back1") : key}
            onClick={() => press(key)}
          >
            {key === "back" ? <Delete aria-hidden="true" /> : key}
          </button>
        ))}
      </div>
      <dl className={classes.result} aria-live="polite">
        <div>
          <dt>{t("pay.tendered")}</dt>
          <dd data-testid="tendered">{rupiah(tendered)}</dd>
        </div>
        <div data-strong={enough}>
          <dt>{t("pay.change")}</dt>
          <dd data-testid="change">
            {enough ? rupiah(tendered - due) : t("pay.short", { amount: rupiah(due - tendered) })}
          </dd>
        </div>
      </dl>
      <Button
        size="xl"
        flex="none"
        color="leaf"
        disabled={!enough || (locked && !pending)}
        loading={pending}
        onClick={confirm}
      >
        {t("pay.confirmCash")}
      </Button>
    </>
  );
}
