// The part of a browser that the page uses. TypeScript's own types of it are global: with them every file of the server
// would know names such as `status` and `close`.

/** An element. */
export interface Elem extends EventTarget {
  readonly children: Iterable<Elem> & { readonly length: number }
  readonly clientHeight: number
  readonly style: { setProperty(name: string, value: string): void }
  readonly classList: { toggle(name: string, isOn: boolean): boolean }
  readonly options: ArrayLike<Elem>
  id: string
  className: string
  textContent: string | null
  title: string
  value: string
  hidden: boolean
  scrollTop: number
  append(...children: (Elem | string)[]): void
  replaceChildren(...children: (Elem | string)[]): void
  remove(): void
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
  closest(selector: string): Elem | null
  contains(other: unknown): boolean
  focus(options?: { preventScroll?: boolean }): void
}

/** What the page asks of the document. */
interface Doc extends EventTarget {
  readonly activeElement: Elem | null
  readonly hidden: boolean
  createElement(name: string): Elem
  querySelector(selector: string): Elem | null
}

/** What listeners get. */
export interface Happening extends Event {
  readonly key: string
  readonly data: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** A stream of events, as long as it is open. */
interface Source extends EventTarget {
  readonly readyState: number
  close(): void
}

/** The globals. */
export interface Browser {
  readonly document: Doc
  readonly EventSource: { new (url: URL | string): Source; readonly CLOSED: number }
  requestAnimationFrame(run: () => void): number
  addEventListener(type: string, listener: (event: Event) => void): void
}
