import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { afterSale } from "@/api/keys";
import { useMay } from "@/api/may";
import type { PaymentDetails } from "@/api/types";
import { ApprovalSheet } from "@/components/ApprovalSheet";
import { rupiah } from "@/lib/money";
import { forgetAnswer, paymentSlot } from "@/lib/outgoing";
import { clock } from "@/lib/time";
import classes from "./PartsList.module.css";
import { undoPayment } from "./queries";

/** What has been paid of a bill: each part with how, when and by whom, and its undoing. */
export function PartsList({ payments }: { payments: PaymentDetails[] }) {
  const { t } = useTranslation();
  const may = useMay();
  const [undoing, setUndoing] = useState<PaymentDetails | null>(null);
  if (payments.length === 0) return null;
  return (
    <>
      <ul className={classes.parts} aria-label={t("pay.parts")}>
        {payments.map((payment) => (
          <li key={payment.id} data-undone={payment.reversal !== null}>
            <strong>{t(`pay.${payment.method}`)}</strong>
            <span className={classes.facts}>
              {t("pay.takenBy", { time: clock(payment.at), name: payment.taken_by })}
              {payment.reversal && ` · ${t("pay.undone", { reason: payment.reversal.reason })}`}
            </span>
            <span className={classes.amount}>{rupiah(payment.amount)}</span>
            {payment.reversal === null && may("undoPayment") && (
              <Button
                variant="subtle"
                color="wood"
                px="xs"
                leftSection={<Undo2 size={18} aria-hidden="true" />}
                data-own-enter
                aria-label={t("pay.undoOne", {
                  method: t(`pay.${payment.method}`),
                  amount: rupiah(payment.amount),
                })}
                onClick={() => setUndoing(payment)}
              >
                {t("pay.undo")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {undoing && <UndoSheet payment={undoing} onClose={() => setUndoing(null)} />}
    </>
  );
}

function UndoSheet({ payment, onClose }: { payment: PaymentDetails; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return (
    <ApprovalSheet
      title={t("pay.undoTitle", { amount: rupiah(payment.amount) })}
      hint={t(payment.method === "cash" ? "pay.undoCash" : "pay.undoOther")}
      reasons={[t("reasons.wrongKey"), t("reasons.otherMethod"), t("reasons.guestChanged")]}
      confirm={t("pay.undo")}
      act={(key, body) => undoPayment(payment, key, body)}
      onDone={() => {
        void forgetAnswer(paymentSlot(payment.order_id));
        afterSale(queries);
        onClose();
      }}
      onClose={onClose}
    />
  );
}
