import { EventStream } from './event-stream.ts'
import { faultOf } from './faults.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

/**
 * An answer for one client alone: an event stream runs for a request, whose end ends it. It has to be bound before
 * anybody puts another body around it, who would read it for nobody.
 */
export function answerFor(request: HttpRequest, answer: HttpResponse): HttpResponse {
  const { body } = answer
  if (!(body instanceof EventStream)) return answer
  const site = request.currentSite!
  const report = (error: Error) => site.report(faultOf(error, request, answer.givenBy))
  const fork = answer.seal().fork()
  fork.body = body.runFor({ request, deadlines: site.deadlines, report })
  return fork
}
