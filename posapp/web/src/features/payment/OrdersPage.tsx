import { Skeleton, TextInput, Title } from "@mantine/core";
import { ChevronRight, PartyPopper, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useMay } from "@/api/may";
import { useOpenOrders, useRestaurant, useTableName } from "@/api/queries";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { rupiah } from "@/lib/money";
import { paths } from "@/lib/paths";
import { clock, shortDay } from "@/lib/time";
import classes from "./OrdersPage.module.css";
import { fits, type Place, placesAfter } from "./places";

/** The open orders: sent and not yet paid, each a link to its payment. */
export function OrdersPage() {
  const { t } = useTranslation();
  const orders = useOpenOrders();
  const places = usePlaces(orders.data);
  const tableName = useTableName();
  const [search, setSearch] = useState("");
  const found = places.filter(({ order }) => fits(order, tableName(order.table_id), search));
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <Title order={1} fz={32}>
          {t("orders.title")}
        </Title>
        <TextInput
          className={classes.search}
          aria-label={t("orders.search")}
          placeholder={t("orders.searchHint")}
          leftSection={<Search size={20} />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      </header>
      {orders.isError && <ErrorNote error={orders.error} onRetry={() => void orders.refetch()} />}
      {orders.data && found.length === 0 ? (
        <Empty
          icon={<PartyPopper size={44} />}
          title={t(search ? "orders.nothing" : "orders.empty")}
          {...(!search && { hint: t("orders.emptyHint") })}
        />
      ) : (
        <ul className={classes.grid}>
          {orders.isPending &&
            Array.from({ length: 6 }, (_, at) => <Skeleton key={at} h={132} radius="lg" />)}
          {found.map((place) => (
            <OrderCard key={place.order.id} place={place} table={tableName(place.order.table_id)} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** @returns the places of `open`, kept from one answer of the server to the next. */
function usePlaces(open: Parameters<typeof placesAfter>[1] | undefined): Place[] {
  const [known, setKnown] = useState<{ open: typeof open; places: Place[] }>({ open: [], places: [] });
  if (open === undefined || open === known.open) return known.places;
  const places = placesAfter(known.places, open);
  setKnown({ open, places });
  return places;
}

function OrderCard({ place: { order, gone }, table }: { place: Place; table: string | undefined }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const today = useRestaurant()?.business_date;
  const isOfToday = today === undefined || order.business_date === today;
  const id = String(order.id);
  return (
    <li>
      <Link to={gone ? paths.receipt(id) : paths.pay(id)} className={classes.card} data-gone={gone}>
        <span className={classes.where}>
          <strong>{table ? t("table.name", { name: table }) : t(`type.${order.type}`)}</strong>
          <span>{t("orders.number", { number: order.number })}</span>
        </span>
        <span className={classes.since}>
          {!isOfToday && <b>{shortDay(order.business_date, i18n.language)} · </b>}
          {t("orders.since", { time: clock(order.created_at) })} · {order.taken_by}
        </span>
        <span className={classes.due}>
          {gone ? t("orders.settled") : rupiah(order.due)}
          {!gone && (
            <span className={classes.pay}>
              {t(may("createPayment") ? "orders.pay" : "orders.look")}
              <ChevronRight size={18} aria-hidden="true" />
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}
