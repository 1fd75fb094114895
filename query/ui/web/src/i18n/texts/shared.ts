/** What several views say. */
export const sharedEn = {
  "picker.find": "Find by name",
  "picker.nothing": "Nothing has such a name.",
  "picker.more": "and {n} more: type to find one",
  "kind.service": "Service",
  "kind.database": "Database",
  "kind.queue": "Queue",
  "kind.external": "Outside host",
  "table.sort": "Sort by {column}",
  "view.choose": "View",
} as const;

export const sharedKo: Record<keyof typeof sharedEn, string> = {
  "picker.find": "이름으로 찾기",
  "picker.nothing": "일치하는 이름이 없습니다.",
  "picker.more": "외 {n}개: 이름을 입력해 찾으세요",
  "kind.service": "서비스",
  "kind.database": "데이터베이스",
  "kind.queue": "큐",
  "kind.external": "외부 호스트",
  "table.sort": "{column} 기준 정렬",
  "view.choose": "보기",
};
