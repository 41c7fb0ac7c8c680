/** Gives each heading of a page its id, by the rules of GitHub, so that one link holds in both places. */
export class Slugs {
  readonly #counts = new Map<string, number>()

  /** @param text What the heading says, without markup. */
  next(text: string): string {
    const slug = text
      .toLowerCase()
      .trim()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-')
    const count = this.#counts.get(slug) ?? 0
    this.#counts.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  }
}
