import { Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { OrderType } from "@/api/types";
import { Sheet } from "@/components/Sheet";
import type { Guest } from "@/lib/database";
import { guestFaults, MAX_GUESTS } from "./guest";

interface GuestSheetProps {
  type: OrderType;
  guest: Guest;
  /** Is told what was typed, which is kept. */
  onClose: (guest: Guest) => void;
  onSave: (guest: Guest) => void;
}

/** How many guests sit at the table, who fetches the food, or to whom and where it goes. */
export function GuestSheet({ type, guest, onClose, onSave }: GuestSheetProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(guest);
  const [tried, setTried] = useState(false);
  const faults = guestFaults(type, typed);
  const change = (part: Partial<Guest>) => setTyped((before) => ({ ...before, ...part }));
  const errorOf = (field: keyof Guest) => tried && faults[field] && t(`guest.fault.${faults[field]}`);
  const save = (event: SyntheticEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length === 0) onSave(typed);
  };
  return (
    <Sheet onClose={() => onClose(typed)} width={520} title={t(`guest.title.${type}`)}>
      <form onSubmit={save} noValidate>
        <Stack>
          {type === "dine_in" ? (
            <TextInput
              label={t("guest.count")}
              inputMode="numeric"
              value={typed.count ?? ""}
              error={errorOf("count")}
              onChange={({ currentTarget: { value } }) => change({ count: countOf(value) })}
              data-autofocus
            />
          ) : (
            <>
              <TextInput
                label={t("guest.name")}
                maxLength={100}
                autoComplete="off"
                value={typed.name}
                error={errorOf("name")}
                onChange={(event) => change({ name: event.currentTarget.value })}
                data-autofocus
              />
              <TextInput
                label={t("guest.phone")}
                type="tel"
                maxLength={25}
                autoComplete="off"
                value={typed.phone}
                error={errorOf("phone")}
                onChange={(event) => change({ phone: event.currentTarget.value })}
              />
            </>
          )}
          {type === "delivery" && (
            <Textarea
              label={t("guest.address")}
              size="md"
              rows={2}
              maxLength={300}
              autoComplete="off"
              value={typed.address}
              error={errorOf("address")}
              onChange={(event) => change({ address: event.currentTarget.value.replace(/\s+/g, " ") })}
            />
          )}
          <Group justify="flex-end">
            <Button type="submit">{t("draft.save")}</Button>
          </Group>
        </Stack>
      </form>
    </Sheet>
  );
}

const countOf = (value: string): number | null => {
  const digits = value.replace(/\D/g, "");
  return digits ? Math.min(Number(digits), MAX_GUESTS) : null;
};
