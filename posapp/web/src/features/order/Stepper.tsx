import { ActionIcon, Group, VisuallyHidden } from "@mantine/core";
import { Minus, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Stepper.module.css";

interface StepperProps {
  name: string;
  value: number;
  min: number;
  max: number;
  disabled?: boolean;
  /** Adds one or takes one away: a step, so that two taps before the next picture count twice. */
  onStep: (by: 1 | -1) => void;
  /** A number that was typed, within the bounds. */
  onType: (value: number) => void;
}

/** Minus, number, plus; where zero is allowed, the last minus shows that it removes. */
export function Stepper({ name, value, min, max, disabled = false, onStep, onType }: StepperProps) {
  const { t } = useTranslation();
  const removes = value === 1 && min === 0;
  return (
    <Group gap={0} wrap="nowrap">
      <ActionIcon
        variant="light"
        aria-label={t(removes ? "draft.remove" : "draft.less", { name })}
        disabled={disabled || value <= min}
        onClick={() => onStep(-1)}
      >
        {removes ? <Trash2 size={18} /> : <Minus size={18} />}
      </ActionIcon>
      <NumberField {...{ name, value, min, max, disabled, onType }} />
      <VisuallyHidden component="output">{value}</VisuallyHidden>
      <ActionIcon
        variant="light"
        aria-label={t("draft.more", { name })}
        disabled={disabled || value >= max}
        onClick={() => onStep(1)}
      >
        <Plus size={18} />
      </ActionIcon>
    </Group>
  );
}

type NumberFieldProps = Required<Omit<StepperProps, "onStep">>;

/** Shows the number, and takes another: Enter or leaving the field keeps it, Escape does not. */
function NumberField({ name, value, min, max, disabled, onType }: NumberFieldProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string | null>(null);
  const keep = () => {
    setTyped(null);
    if (typed) onType(Math.max(min, Math.min(max, Number(typed))));
  };
  return (
    <input
      className={classes.number}
      inputMode="numeric"
      aria-label={t("line.quantity", { name })}
      disabled={disabled}
      value={typed ?? value}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setTyped(event.currentTarget.value.replace(/\D/g, "").slice(0, 3))}
      onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === "Enter") keep();
        if (event.key !== "Escape" || typed === null) return;
        event.preventDefault();
        event.stopPropagation();
        setTyped(null);
      }}
    />
  );
}
