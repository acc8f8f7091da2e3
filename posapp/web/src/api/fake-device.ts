import { vi } from "vitest";

/** What a browser gives a page, for tests in Node: storage that other tabs write to as well. */
export interface FakeDevice {
  store: Map<string, string>;
  /** Another tab writes, or removes (null), and this one hears of it. */
  fromOtherTab: (key: string, value: string | null) => void;
}

export function openPage(): FakeDevice {
  const store = new Map<string, string>();
  const listeners: ((event: { key: string; newValue: string | null }) => void)[] = [];
  const write = (key: string, value: string | null) =>
    value === null ? store.delete(key) : store.set(key, value);
  vi.stubGlobal("location", { origin: "http://till.test", pathname: "/" });
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => store.set(key, value),
    removeItem: (key: string) => store.delete(key),
  });
  vi.stubGlobal("addEventListener", (_: string, listener: (typeof listeners)[number]) =>
    listeners.push(listener),
  );
  vi.stubGlobal("navigator", {});
  return {
    store,
    fromOtherTab: (key, value) => {
      write(key, value);
      for (const listener of listeners) listener({ key, newValue: value });
    },
  };
}
