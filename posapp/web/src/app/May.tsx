import { Center } from "@mantine/core";
import type { ReactNode } from "react";
import { type Act, useMay } from "@/api/may";
import { ApiError } from "@/api/error";
import { ErrorNote } from "@/components/ErrorNote";

/** Shows a page to whoever may do what it is for; the others are told. */
export function May({ act, children }: { act: Act; children: ReactNode }) {
  const may = useMay();
  if (may(act)) return children;
  return (
    <Center h="100%" p="xl">
      <ErrorNote error={new ApiError(403, "")} />
    </Center>
  );
}
