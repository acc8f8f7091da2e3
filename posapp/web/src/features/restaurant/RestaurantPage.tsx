import { Alert, Button, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { afterHouseChange } from "@/api/keys";
import { useRestaurant } from "@/api/queries";
import type { Restaurant, RestaurantChange } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Pending } from "@/components/Pending";
import { basisPoints, percent } from "@/lib/percent";
import classes from "./RestaurantPage.module.css";

/** The house as every screen and receipt names it, and what it charges on top. */
export function RestaurantPage() {
  const restaurant = useRestaurant();
  return restaurant ? <HouseForm restaurant={restaurant} /> : <Pending />;
}

const rateText = (points: number): string => percent(points).replace("%", "");

function HouseForm({ restaurant }: { restaurant: Restaurant }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [typed, setTyped] = useState({
    name: restaurant.name,
    tax_name: restaurant.tax_name,
    tax_rate: rateText(restaurant.tax_rate),
    service_rate: rateText(restaurant.service_rate),
  });
  const [checked, setChecked] = useState(false);
  const save = useMutation({
    mutationFn: (body: RestaurantChange) => unwrap(api.PATCH("/api/v1/admin/restaurant", { body })),
    onSuccess: () => afterHouseChange(queries),
  });
  const faultOf = (field: keyof typeof typed): string | null => {
    const text = typed[field].trim();
    if (!text) return t("guest.fault.missing");
    return field.endsWith("_rate") && basisPoints(text) === null ? t("house.rateHint") : null;
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setChecked(true);
    const [tax_rate, service_rate] = [basisPoints(typed.tax_rate), basisPoints(typed.service_rate)];
    const [name, tax_name] = [typed.name.trim(), typed.tax_name.trim()];
    if (!name || !tax_name || tax_rate === null || service_rate === null) return;
    save.mutate({ name, tax_name, tax_rate, service_rate });
  };
  const field = (name: keyof typeof typed, maxLength: number) => (
    <TextInput
      label={t(`house.${name}`)}
      value={typed[name]}
      maxLength={maxLength}
      error={checked && faultOf(name)}
      inputMode={name.endsWith("_rate") ? "decimal" : "text"}
      onChange={({ currentTarget }) => {
        save.reset();
        setTyped({ ...typed, [name]: currentTarget.value });
      }}
    />
  );
  return (
    <form className={classes.page} onSubmit={submit} noValidate>
      <Title order={1} fz={32}>
        {t("house.title")}
      </Title>
      <Stack>
        {field("name", 100)}
        <div className={classes.pair}>
          {field("tax_name", 30)}
          {field("tax_rate", 6)}
        </div>
        {field("service_rate", 6)}
        <Text c="dimmed">{t("house.hint")}</Text>
        {save.isError && <ErrorNote error={save.error} />}
        {save.isSuccess && <Alert color="leaf" icon={<Check />} role="status" title={t("house.saved")} />}
        <Button type="submit" size="lg" loading={save.isPending}>
          {t("draft.save")}
        </Button>
      </Stack>
    </form>
  );
}
