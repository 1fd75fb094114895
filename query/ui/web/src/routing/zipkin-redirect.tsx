import { useLayoutEffect } from "react";
import { useLocation, useSearch } from "wouter";
import { fromZipkin } from "./zipkin-links.ts";

/** Goes on at once from an address of Zipkin's page to the same place here. */
export function ZipkinRedirect() {
  const [path, navigate] = useLocation();
  const search = useSearch();
  const target = fromZipkin(path, search);
  useLayoutEffect(() => {
    if (target) navigate(target, { replace: true });
  }, [target, navigate]);
  return null;
}
