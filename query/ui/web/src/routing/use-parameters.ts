import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

type Changes = Record<string, string | number | undefined>;

/** The parameters of the address, and a way to change some; undefined and "" are taken out of it. */
export function useParameters(): [URLSearchParams, (changes: Changes) => void] {
  const search = useSearch();
  const [location, navigate] = useLocation();
  const given = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (changes: Changes) => {
      const next = new URLSearchParams(search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === undefined || value === "") next.delete(name);
        else next.set(name, String(value));
      }
      const text = next.toString();
      navigate(text ? `${location}?${text}` : location, { replace: true });
    },
    [search, location, navigate],
  );
  return [given, change];
}
