import type { Readable } from 'node:stream'
import type { HttpHeaders, HttpRequest, HttpResponse, PluginSite, StandardSchema } from 'rawhttp'
import type { Route } from './route.ts'

/** The methods that a key may name. CONNECT and TRACE are missing: the kernel refuses them. */
export const methods = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'SEARCH', 'REPORT', 'SOURCE'],
  ...['ACL', 'BIND', 'CHECKOUT', 'COPY', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE', 'MKACTIVITY', 'MKCALENDAR'],
  ...['MKCOL', 'MOVE', 'NOTIFY', 'PROPFIND', 'PROPPATCH', 'PURGE', 'REBIND', 'SUBSCRIBE', 'UNBIND', 'UNLINK'],
  ...['UNLOCK', 'UNSUBSCRIBE'],
] as const

export type Method = (typeof methods)[number]

/** Method, one space, path pattern: `GET /users/:id`. */
export type RouteKey = `${Method} /${string}`

type Lower = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm'
type Lower2 = 'n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z'
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type NameCharacter = Lower | Lower2 | Uppercase<Lower | Lower2> | Digit | '_'

/** Splits a text behind its leading name: `['id', '(\\d+)/x']`. */
type TakeName<Text extends string, Name extends string = ''> = Text extends `${infer First}${infer Rest}`
  ? First extends NameCharacter
    ? TakeName<Rest, `${Name}${First}`>
    : [Name, Text]
  : [Name, '']

/** What stands behind a regular expression's closing parenthesis; `Text` begins behind the opening one. */
type AfterRegex<
  Text extends string,
  Depth extends readonly 0[] = [],
> = Text extends `\\${infer _}${infer Rest}`
  ? AfterRegex<Rest, Depth>
  : Text extends `(${infer Rest}`
    ? AfterRegex<Rest, [...Depth, 0]>
    : Text extends `)${infer Rest}`
      ? Depth extends readonly [0, ...infer Outer extends readonly 0[]]
        ? AfterRegex<Rest, Outer>
        : Rest
      : Text extends `${infer _}${infer Rest}`
        ? AfterRegex<Rest, Depth>
        : ''

type SkipRegex<Text extends string> = Text extends `(${infer Rest}` ? AfterRegex<Rest> : Text

/** The parameters of a pattern: a union of `[name, isOptional]`. */
type ParamList<Text extends string, Found = never> = Text extends `${string}:${infer Rest}`
  ? Rest extends `:${infer Behind}`
    ? ParamList<Behind, Found>
    : TakeName<Rest> extends [infer Name extends string, infer Behind extends string]
      ? SkipRegex<Behind> extends `?${infer Last}`
        ? ParamList<Last, Found | [Name, true]>
        : ParamList<SkipRegex<Behind>, Found | [Name, false]>
      : never
  : Text extends `${string}*`
    ? Found | ['*', false]
    : Found

type NamesOf<List, IsOptional> = List extends [infer Name extends string, IsOptional] ? Name : never

type Flat<T> = { [Name in keyof T]: T[Name] }

/**
 * The parameters of a path pattern: `:id` and `*` are strings, `:id?` may be missing. Of a pattern that is only
 * known at run time, any name may be there.
 */
export type PathParams<Path extends string> = string extends Path
  ? { readonly [name: string]: string | undefined }
  : Flat<
      { readonly [Name in NamesOf<ParamList<Path>, false>]: string } & {
        readonly [Name in NamesOf<ParamList<Path>, true>]?: string | undefined
      }
    >

/** The parameters of a route key below a prefix. */
export type RouteParams<Key extends string, Prefix extends string = ''> = string extends Key
  ? PathParams<string>
  : Key extends `${string} ${infer Path}`
    ? PathParams<`${Prefix}${Path}`>
    : never

/** A schema for one part of a request, or none. */
export type Schema = StandardSchema | undefined

/** What a handler gets of a part: what its schema makes of it, else the raw form. */
export type Part<S extends Schema, Raw> = S extends StandardSchema<infer _, infer Output> ? Output : Raw

/**
 * What a handler is given. Each part is the raw form, made when it is first read, until the route has a schema for it.
 */
export interface RouteContext<
  Params,
  Query = URLSearchParams,
  Headers = HttpHeaders,
  Body = HttpRequest['body'],
> {
  readonly request: HttpRequest
  /** The site that answers, with its slots. */
  readonly site: PluginSite
  /** Decoded path parameters. A value may hold a slash that came as `%2F`. */
  readonly params: Params
  readonly query: Query
  readonly headers: Headers
  readonly body: Body
  /** The cookies of the request, the first of each name. */
  readonly cookies: ReadonlyMap<string, string>
}

// Without `then`, so that a promise of undefined is no JSON object to the compiler.
type JsonObject = object & { readonly then?: never }

/**
 * What a handler answers: a response; or text, bytes, a stream (200); a plain object or array (200, JSON);
 * null (204).
 */
export type Answer =
  | HttpResponse
  | string
  | Uint8Array
  | Readable
  | AsyncIterable<Uint8Array | string>
  | JsonObject
  | null

export type RouteHandler<Context> = (context: Context) => Answer | PromiseLike<Answer>

/** Runs before the handler and before any cache: an answer ends the request, nothing lets it through. */
export interface Guard {
  (request: HttpRequest): HttpResponse | undefined | void | PromiseLike<HttpResponse | undefined | void>
  /**
   * For guards that need more than the request. Runs once for every site that the router serves, as a plugin's
   * `site()`: it may tap, and keep what outlives a reload.
   */
  readonly setup?: ((site: PluginSite) => void) | undefined
}

/** What stands behind a key: a handler, or what `route()` gives. */
type RouteValue<Key extends string, Prefix extends string> =
  | RouteHandler<RouteContext<RouteParams<Key, Prefix>>>
  | Route<Key, Prefix>

/** A table of routes by key. */
export type Routes<Key extends string, Prefix extends string = ''> = {
  readonly [K in Key]: K extends RouteKey
    ? RouteValue<K, Prefix>
    : 'a key is a method in capitals, one space, a path'
}
