import { FileSlice } from '../file-slice.ts'
import { MultipartRanges } from '../multipart-ranges.ts'
import type { HttpResponse } from '../response.ts'
import { LazyBody } from '../response-body.ts'
import type { Tap } from '../tap.ts'
import type { TracedBody, TraceRule, TraceSource } from './types.ts'

/** A plugin, by what one of its taps did. */
export function pluginSource({ plugin, hook, name, pluginPlace }: Tap): TraceSource {
  return { by: 'plugin', plugin, hook, tap: name, configured: pluginPlace, rule: null }
}

/** The kernel, by a rule. */
export function kernelSource(rule: TraceRule): TraceSource {
  return { by: 'kernel', plugin: null, hook: null, tap: null, configured: null, rule }
}

/** The kernel, by a rule, because of what a tap did. */
export function derivedSource(rule: TraceRule, tap: Tap): TraceSource {
  return { ...pluginSource(tap), by: 'kernel', rule }
}

/** The body of a response, without its content. */
export function tracedBody({ body, length }: HttpResponse): TracedBody {
  if (body === null) return { kind: 'none', bytes: 0 }
  if (typeof body === 'string') return { kind: 'text', bytes: length }
  if (body instanceof Uint8Array) return { kind: 'bytes', bytes: length }
  if (body instanceof FileSlice) return { kind: 'file', bytes: length }
  if (body instanceof MultipartRanges) return { kind: 'parts', bytes: length }
  return { kind: body instanceof LazyBody ? 'made-when-sent' : 'stream', bytes: length }
}
