/** Opening files with traces. */
export const fileEn = {
  "file.title": "Open a file",
  "file.drop": "Drop files with traces here",
  "file.drop_anywhere": "Drop to open",
  "file.or": "or",
  "file.choose": "Choose files",
  "file.what":
    "JSON of Jaeger, of Zipkin (v1 and v2) or of OTLP; several traces in a file, a document a line as OpenTelemetry collectors write them, and gzip are fine. The files are shown and not stored.",
  "file.reading": "Reading",
  "file.refused": "{file} cannot be shown",
  "file.too_large":
    "The largest file is set by CLEW_MAX_INFLATED_BYTES (as text) and CLEW_MAX_BODY_BYTES (compressed) of the server.",
  "file.left_out": "{n} spans of {file} are not shown",
  "file.none": "{n} files were read, and there is no span in them.",
  "file.traces": "Traces in the files",
  "file.trace": "Trace",
  "file.started": "Started",
  "file.duration": "Duration",
  "file.spans": "Spans",
  "file.errors": "Errors",
  "file.services": "Services",
  "file.file": "File",
  "file.close": "Close the files",
  "file.back": "All traces of the files",
  "file.only_here": "From {file}: shown, not stored.",
} as const;

export const fileKo: Record<keyof typeof fileEn, string> = {
  "file.title": "파일 열기",
  "file.drop": "트레이스 파일을 여기에 끌어다 놓으세요",
  "file.drop_anywhere": "놓으면 파일을 엽니다",
  "file.or": "또는",
  "file.choose": "파일 선택",
  "file.what":
    "Jaeger, Zipkin(v1, v2), OTLP의 JSON 파일을 열 수 있습니다. 한 파일에 여러 트레이스가 있거나, OpenTelemetry Collector처럼 한 줄에 문서가 하나씩 있거나, gzip으로 압축되어 있어도 됩니다. 파일은 화면에만 표시되고 저장되지 않습니다.",
  "file.reading": "파일을 읽는 중",
  "file.refused": "{file}을(를) 표시할 수 없습니다",
  "file.too_large":
    "열 수 있는 파일 크기는 서버의 CLEW_MAX_INFLATED_BYTES(압축 해제 후)와 CLEW_MAX_BODY_BYTES(압축 상태) 설정으로 정해집니다.",
  "file.left_out": "{file}의 스팬 {n}개가 표시되지 않았습니다",
  "file.none": "파일 {n}개를 읽었지만 스팬이 없습니다.",
  "file.traces": "파일의 트레이스",
  "file.trace": "트레이스",
  "file.started": "시작 시각",
  "file.duration": "소요 시간",
  "file.spans": "스팬",
  "file.errors": "오류",
  "file.services": "서비스",
  "file.file": "파일",
  "file.close": "파일 닫기",
  "file.back": "파일의 전체 트레이스",
  "file.only_here": "{file}에서 불러왔으며 저장되지 않았습니다.",
};
