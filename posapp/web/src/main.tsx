import "./app/mantine-styles";
import "./app/global.css";
import "./i18n";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { refresh } from "./api/client";
import { refreshToken } from "./api/sign-in";
import { App } from "./app/App";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

// Whoever was signed in before a reload still is, on whichever page; failures are shown there.
if (refreshToken()) void refresh().catch(() => null);

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
