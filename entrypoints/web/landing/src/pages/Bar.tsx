/** A figure's length beside others: an SVG, for the page's policy allows no style of an element. */

export function Bar({ part }: { part: number }) {
  return (
    <svg className="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.round(part * 1000) / 10} height="4" />
    </svg>
  );
}
