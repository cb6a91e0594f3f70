/** Bounds in the form of ZRANGEBYSCORE. */
export function within (min: string, max: string): (score: number) => boolean {
  const bound = (text: string) => ({ open: text.startsWith('('), value: toScore(text.replace('(', '')) })
  const [low, high] = [bound(min), bound(max)]
  return (score) => (low.open ? score > low.value : score >= low.value) &&
    (high.open ? score < high.value : score <= high.value)
}

function toScore (text: string): number {
  if (text === '+inf') return Infinity
  return text === '-inf' ? -Infinity : Number(text)
}

/** Bounds in the form of ZRANGEBYLEX. */
export function between (min: string, max: string): (member: string) => boolean {
  const [low, high] = [min.slice(1), max.slice(1)]
  return (member) => (min.startsWith('(') ? member > low : member >= low) &&
    (max.startsWith('(') ? member < high : member <= high)
}
