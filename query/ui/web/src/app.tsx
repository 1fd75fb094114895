import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Redirect, Route, Router, Switch, useLocation, useSearch } from "wouter";
import { ApiError } from "./api/http.ts";
import { Loading } from "./components/states.tsx";
import { basePath } from "./routing/base.ts";
import { fromZipkin } from "./routing/zipkin-links.ts";
import { Guarded } from "./shell/guarded.tsx";
import { Shell } from "./shell/shell.tsx";

const SearchView = lazy(() => import("./views/search/index.tsx"));
const TraceView = lazy(() => import("./views/trace/index.tsx"));
const GraphView = lazy(() => import("./views/graph/index.tsx"));
const MonitorView = lazy(() => import("./views/monitor/index.tsx"));
const CompareView = lazy(() => import("./views/compare/index.tsx"));
const DoorsView = lazy(() => import("./views/doors/index.tsx"));
const FileView = lazy(() => import("./views/file/index.tsx"));

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      staleTime: 15_000,
      // A refusal stays one; only an unreachable or failing server is asked again.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Router base={basePath}>
        <Shell>
          <Places />
        </Shell>
      </Router>
    </QueryClientProvider>
  );
}

function Places() {
  const [place] = useLocation();
  return (
    <Guarded place={place}>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/search" component={SearchView} />
          <Route path="/trace/:ids">
            {({ ids }) => (ids.includes("...") ? <CompareView ids={ids} /> : <TraceView traceId={ids} />)}
          </Route>
          <Route path="/compare">{() => <CompareView ids="" />}</Route>
          <Route path="/dependencies" component={GraphView} />
          <Route path="/monitor" component={MonitorView} />
          <Route path="/file" component={FileView} />
          <Route path="/doors" component={DoorsView} />
          <Route>{() => <Elsewhere />}</Route>
        </Switch>
      </Suspense>
    </Guarded>
  );
}

/** The root, Zipkin's places, and what is no place at all: each leads on to a place of this page. */
function Elsewhere() {
  const [place] = useLocation();
  const search = useSearch();
  const target = fromZipkin(place, search);
  if (target === undefined && place === "/") return <SearchView />;
  return <Redirect to={target ?? "/search"} replace />;
}
