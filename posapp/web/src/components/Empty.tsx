import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

interface EmptyProps {
  icon: ReactNode;
  title: string;
  hint?: string;
}

/** A placeholder for a list that is still empty. */
export function Empty({ icon, title, hint }: EmptyProps) {
  return (
    <Stack align="center" justify="center" gap={6} p="xl" h="100%" ta="center">
      <Text c="wood.4" lh={0} mb={6}>
        {icon}
      </Text>
      <Text fw={600}>{title}</Text>
      {hint && (
        <Text size="sm" c="dimmed" maw={260}>
          {hint}
        </Text>
      )}
    </Stack>
  );
}
