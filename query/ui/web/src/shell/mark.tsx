/** clew's mark: a ball of thread, its end leading out. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" fill="none" strokeLinecap="round" aria-hidden="true">
      <g stroke="var(--accent)">
        <circle cx="15" cy="15" r="11" strokeWidth="3" />
        <path
          d="M5 12c5 3.5 13 5.5 20.5 3.5M9 6.5c3.5 6 7 11.5 15 14.5M15 4.2c-2 6.5-2.5 14-.5 21.5"
          strokeWidth="2.2"
        />
      </g>
      <path d="M22.500 23.500c2 2.500 4.500 3.800 7 4" stroke="#e2701a" strokeWidth="3" />
    </svg>
  );
}
