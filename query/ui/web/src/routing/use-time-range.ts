import { useCallback, useEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { momentsOf, putRange, rangeOf, type TimeRange } from "./time-range.ts";

export interface UsedTimeRange {
  range: TimeRange;
  startMs: number;
  endMs: number;
  setRange: (range: TimeRange) => void;
  /** Looks again: a range that ends now ends at this moment from now on. */
  refresh: () => void;
}

/** The time range in the address. everyMs: how often a range that ends now moves on by itself; 0 is never. */
export function useTimeRange(usual: string, everyMs = 0): UsedTimeRange {
  const search = useSearch();
  const [location, navigate] = useLocation();
  const [nowMs, setNowMs] = useState(() => Date.now());
  const refresh = useCallback(() => setNowMs(Date.now()), []);
  useEffect(() => {
    if (everyMs <= 0) return;
    const timer = setInterval(refresh, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, refresh]);
  return useMemo(() => {
    const given = new URLSearchParams(search);
    const range = rangeOf(given) ?? { lookback: usual };
    const setRange = (next: TimeRange) => {
      putRange(given, next);
      setNowMs(Date.now());
      navigate(`${location}?${given.toString()}`, { replace: true });
    };
    return { range, ...momentsOf(range, nowMs), setRange, refresh };
  }, [search, usual, nowMs, refresh, location, navigate]);
}
