import { type LineName, lineName } from "@/lib/line-name";
import { useMenu } from "./queries";
import type { OrderLine } from "./types";

/** @returns the name of a line in the language of the screen. */
export function useLineName(): (line: OrderLine) => LineName {
  const menu = useMenu().data;
  return (line) => lineName(menu, line);
}
