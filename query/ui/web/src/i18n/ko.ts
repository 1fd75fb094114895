import type { Dictionary } from "./en.ts";
import { compareKo } from "./texts/compare.ts";
import { doorsKo } from "./texts/doors.ts";
import { fileKo } from "./texts/file.ts";
import { graphKo } from "./texts/graph.ts";
import { helpKo } from "./texts/help.ts";
import { monitorKo } from "./texts/monitor.ts";
import { searchKo } from "./texts/search.ts";
import { sharedKo } from "./texts/shared.ts";
import { timeKo } from "./texts/time.ts";
import { traceKo } from "./texts/trace.ts";

export const ko: Dictionary = {
  ...sharedKo,
  ...timeKo,
  ...traceKo,
  ...searchKo,
  ...fileKo,
  ...doorsKo,
  ...graphKo,
  ...helpKo,
  ...compareKo,
  ...monitorKo,
  "nav.search": "검색",
  "nav.graph": "서비스 그래프",
  "nav.monitor": "모니터링",
  "nav.compare": "비교",
  "nav.file": "파일 열기",
  "nav.main": "주 메뉴",
  "nav.find_trace": "트레이스 ID",
  "nav.skip": "본문으로 건너뛰기",
  "theme.to_dark": "어두운 테마",
  "theme.to_light": "밝은 테마",
  "language.switch": "English",
  "state.loading": "불러오는 중",
  "state.failed": "요청을 처리하지 못했습니다",
  "state.retry": "다시 시도",
};
