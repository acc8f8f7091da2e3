import { ActionIcon, Button, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, ChevronDown, Printer, X } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { afterSale } from "@/api/keys";
import { useLineName } from "@/api/line-names";
import { useMay } from "@/api/may";
import { useTableName } from "@/api/queries";
import type { Order, OrderLine } from "@/api/types";
import { ApprovalSheet } from "@/components/ApprovalSheet";
import { Totals } from "@/components/Totals";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import classes from "./PayPage.module.css";
import { voidOrder } from "./queries";

type Voiding = "order" | OrderLine | null;

/**
 * An order as the guest reads it, and what of it can be cancelled. On a phone it is folded for who takes
 * the money: what the thumb needs comes first.
 */
export function OrderDetails({ order }: { order: Order }) {
  const { t } = useTranslation();
  const may = useMay();
  const table = useTableName()(order.table_id);
  const [voiding, setVoiding] = useState<Voiding>(null);
  const voided = new Map(order.voids.map((one) => [one.line_id, one]));
  const open = order.status === "open";
  const id = useId();
  const [unfolded, setUnfolded] = useState(!open || !may("createPayment"));
  const left = order.lines.filter(({ id }) => !voided.has(id));
  return (
    <>
      <header className={classes.head}>
        <ActionIcon component={Link} to={paths.orders} aria-label={t("pay.back")}>
          <ArrowLeft />
        </ActionIcon>
        <div className={classes.name}>
          <Title order={1} fz={24}>
            {t("pay.order", { number: order.number })}
          </Title>
          <Text c="dimmed">
            {table ? t("table.name", { name: table }) : t(`type.${order.type}`)}
          </Text>
        </div>
        {open && (
          <ActionIcon component={Link} to={paths.receipt(String(order.id))} aria-label={t("receipt.bill")}>
            <Printer />
          </ActionIcon>
        )}
      </header>
      <button
        type="button"
        className={classes.fold}
        aria-expanded={unfolded}
        aria-controls={id}
        onClick={() => setUnfolded((before) => !before)}
      >
        {t("pay.lines")} · {left.length}
        <ChevronDown size={22} aria-hidden="true" />
      </button>
      <div id={id} className={classes.bill} data-folded={!unfolded}>
        <ul className={classes.lines}>
          {order.lines.map((line) => (
            <Line
              key={line.id}
              line={line}
              gone={voided.get(line.id)}
              onVoid={open && left.length > 1 && may("voidLine") ? setVoiding : undefined}
            />
          ))}
        </ul>
        <Totals of={order} />
        {open && order.paid === 0 && may("voidOrder") && (
          <Button variant="subtle" color="wood" onClick={() => setVoiding("order")}>
            {t("void.order")}
          </Button>
        )}
      </div>
      {voiding && <VoidSheet order={order} what={voiding} onClose={() => setVoiding(null)} />}
    </>
  );
}

interface LineProps {
  line: OrderLine;
  /** How it was cancelled, when it was. */
  gone: Order["voids"][number] | undefined;
  /** Absent where nothing can be cancelled any more. */
  onVoid: ((line: OrderLine) => void) | undefined;
}

function Line({ line, gone, onVoid }: LineProps) {
  const { t } = useTranslation();
  const { name, modifiers } = useLineName()(line);
  return (
    <li data-voided={gone !== undefined}>
      <span className={classes.quantity}>{line.quantity}×</span>
      <span>
        {name}
        <small>{modifiers.join(", ")}</small>
        {line.note && <small>“{line.note}”</small>}
        {gone && <small>{t("void.line", { reason: gone.reason, name: gone.voided_by })}</small>}
      </span>
      <span className={classes.amount}>{rupiah(line.total)}</span>
      {onVoid && !gone && (
        <ActionIcon aria-label={t("void.lineOf", { name })} onClick={() => onVoid(line)}>
          <X size={18} />
        </ActionIcon>
      )}
    </li>
  );
}

interface VoidSheetProps {
  order: Order;
  what: "order" | OrderLine;
  onClose: () => void;
}

function VoidSheet({ order, what, onClose }: VoidSheetProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const line = what === "order" ? null : what;
  return (
    <ApprovalSheet
      title={
        line
          ? t("void.lineTitle", { quantity: line.quantity, name: line.name })
          : t("void.orderTitle", { number: order.number })
      }
      hint={t(line ? "void.lineHint" : "void.orderHint")}
      reasons={[t("reasons.wrongOrder"), t("reasons.guestChanged"), t("reasons.soldOut")]}
      confirm={t(line ? "void.lineConfirm" : "void.order")}
      act={(key, body) => voidOrder(order.id, line?.id ?? null, key, body)}
      onDone={() => {
        afterSale(queries);
        onClose();
      }}
      onClose={onClose}
    />
  );
}
