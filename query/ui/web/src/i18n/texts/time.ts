/** Time ranges. */
export const timeEn = {
  "time.range": "Time range",
  "time.custom": "Custom",
  "time.start": "From",
  "time.end": "To",
  "time.refresh": "Refresh",
  "time.last_minutes": "Last {n} minutes",
  "time.last_hour": "Last hour",
  "time.last_hours": "Last {n} hours",
  "time.last_day": "Last 24 hours",
  "time.last_days": "Last {n} days",
} as const;

export const timeKo: Record<keyof typeof timeEn, string> = {
  "time.range": "조회 기간",
  "time.custom": "직접 지정",
  "time.start": "시작",
  "time.end": "종료",
  "time.refresh": "새로 고침",
  "time.last_minutes": "최근 {n}분",
  "time.last_hour": "최근 1시간",
  "time.last_hours": "최근 {n}시간",
  "time.last_day": "최근 24시간",
  "time.last_days": "최근 {n}일",
};
