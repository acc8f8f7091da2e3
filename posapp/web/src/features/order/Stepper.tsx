import { ActionIcon, Group, Text } from "@mantine/core";
import { Minus, Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";

interface StepperProps {
  name: string;
  value: number;
  min: number;
  max: number;
  disabled?: boolean;
  onChange: (value: number) => void;
}

/** Minus, number, plus; where zero is allowed, the last minus shows that it removes. */
export function Stepper({ name, value, min, max, disabled = false, onChange }: StepperProps) {
  const { t } = useTranslation();
  const removes = value === 1 && min === 0;
  return (
    <Group gap={0} wrap="nowrap">
      <ActionIcon
        variant="light"
        aria-label={t(removes ? "draft.remove" : "draft.less", { name })}
        disabled={disabled || value <= min}
        onClick={() => onChange(value - 1)}
      >
        {removes ? <Trash2 size={18} /> : <Minus size={18} />}
      </ActionIcon>
      <Text component="output" w={38} ta="center" fw={650} fz={17}>
        {value}
      </Text>
      <ActionIcon
        variant="light"
        aria-label={t("draft.more", { name })}
        disabled={disabled || value >= max}
        onClick={() => onChange(value + 1)}
      >
        <Plus size={18} />
      </ActionIcon>
    </Group>
  );
}
