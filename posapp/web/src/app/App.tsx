import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { BrowserRouter } from "react-router";
import { queryClient } from "@/api/queries";
import { FaultBoundary } from "./FaultBoundary";
import { Screens } from "./Screens";
import { theme } from "./theme";
import { usePageHeading } from "./use-page-heading";

export function App() {
  usePageHeading();
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <BrowserRouter>
          <FaultBoundary>
            <Screens />
          </FaultBoundary>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}
