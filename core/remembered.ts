/** Longer texts are answered anew each time, so that what is remembered stays small whatever clients send. */
const LONGEST = 256

/**
 * Remembers what a function makes of texts that clients send, such as a header field: most send one of a handful. When
 * there are more than can be remembered all are forgotten, which costs who asks next and nobody's memory.
 *
 * @param most How many texts of up to 256 characters are remembered.
 */
export function remembered<T>(make: (text: string) => T, most: number): (text: string) => T {
  const known = new Map<string, T>()
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    const made = make(text)
    if (text.length > LONGEST) return made
    if (known.size === most) known.clear()
    known.set(text, made)
    return made
  }
}
