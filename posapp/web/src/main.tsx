import "./app/mantine-styles";
import "./app/global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { refresh } from "./api/client";
import { queryClient } from "./api/queries";
import { onNewcomer, refreshToken } from "./api/sign-in";
import type { Order } from "./api/types";
import { App } from "./app/App";
import { keepLastTaps, rememberParked, resetDraft } from "./features/order/use-draft";
import { fetchLanguages } from "./i18n";
import { watchFaults } from "./lib/faults";
import { fetchTheRest } from "./lib/later";
import { keepWhatIsRead, restoreKept } from "./lib/kept";
import { startOutbox } from "./lib/outbox";
import { isParkedOrder, ORDER_SLOT } from "./lib/outgoing";
import { watchStorage } from "./lib/storage-fault";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

watchStorage();
watchFaults();
keepLastTaps();
keepWhatIsRead(queryClient);
const restore = () => void restoreKept(queryClient).catch(() => null);
onNewcomer(restore);
restore();

// Whoever was signed in before a reload still is, on whichever page; failures are shown there.
if (refreshToken()) void refresh().catch(() => null);
startOutbox((slot, answer) => {
  if (slot === ORDER_SLOT) return resetDraft(answer as Order);
  return isParkedOrder(slot) ? rememberParked(answer as Order) : Promise.resolve();
});

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

// The first picture goes before.
setTimeout(() => {
  void fetchTheRest();
  void fetchLanguages().catch(() => null);
}, 1_000);
