import { Button } from "@mantine/core";
import { DatePicker } from "@mantine/dates";
import "@mantine/dates/styles.css";
import "dayjs/locale/id";
import { CalendarDays } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { dayName, shortDate } from "@/lib/time";
import classes from "./DayField.module.css";
import { Sheet } from "./Sheet";

interface DayFieldProps {
  label: string;
  /** "2026-11-25", or undefined while it is not known. */
  day: string | undefined;
  /** The last day that can be chosen, in the same form. */
  last: string | undefined;
  onPick: (day: string) => void;
}

/**
 * A date in the language of the screen, chosen from a calendar in a sheet: the browser's own field speaks
 * the browser's language, and its form of a date (11/12) is read in two ways.
 */
export function DayField({ label, day, last, onPick }: DayFieldProps) {
  const { t, i18n } = useTranslation();
  const [open, setOpen] = useState(false);
  const pick = (picked: string | null) => {
    setOpen(false);
    if (picked) onPick(picked);
  };
  const shown = day ? shortDate(day, i18n.language) : "…";
  return (
    <>
      <button
        type="button"
        className={classes.field}
        aria-label={`${label}: ${shown}`}
        aria-haspopup="dialog"
        disabled={!day}
        onClick={() => setOpen(true)}
      >
        <CalendarDays size={20} aria-hidden="true" />
        {shown}
      </button>
      {open && day && (
        <Sheet
          title={label}
          width={400}
          onClose={() => setOpen(false)}
          foot={
            last && (
              <Button variant="default" fullWidth onClick={() => pick(last)}>
                {t("calendar.today")}
              </Button>
            )
          }
        >
          <DatePicker
            className={classes.calendar}
            size="lg"
            locale={i18n.language}
            value={day}
            defaultDate={day}
            {...(last && { maxDate: last })}
            hideOutsideDates
            weekendDays={[]}
            onChange={pick}
            getDayProps={(date) => ({
              "aria-label": dayName(date, i18n.language),
              "aria-current": date === day ? "date" : undefined,
              "data-autofocus": date === day || undefined,
            })}
            ariaLabels={{
              previousMonth: t("calendar.previousMonth"),
              nextMonth: t("calendar.nextMonth"),
              previousYear: t("calendar.previousYear"),
              nextYear: t("calendar.nextYear"),
              previousDecade: t("calendar.previousDecade"),
              nextDecade: t("calendar.nextDecade"),
            }}
          />
        </Sheet>
      )}
    </>
  );
}
