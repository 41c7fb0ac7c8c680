import { HttpResponse, isRepresentationField } from 'rawhttp'

/** What a rule does with fields. */
export type Verb = 'set' | 'default' | 'append' | 'remove'

/** What is wrong with a field for one of the verbs, or null. */
export function problemWithField(verb: Verb, name: string, values: readonly string[]): string | null {
  const field = name.toLowerCase()
  if (isRepresentationField(field))
    return `${field} is about the body, which is finished when this is done: give it where the answer is made (static: types, headers)`
  if (field === 'vary' && verb !== 'append')
    return 'vary may only grow, since caches must hear of all that an answer was chosen by: use append'
  const members = field === 'vary' ? values.flatMap(namesOf) : []
  return (
    problemOfKernel(name, values) ?? members.map(each => problemOfKernel(each, [])).find(isProblem) ?? null
  )
}

/** The members of a Vary field. */
export const namesOf = (value: string): string[] => value.split(',').map(name => name.trim())

const isProblem = (problem: string | null): boolean => problem !== null

// The kernel has the say over names and values; a response of nobody's asks it.
function problemOfKernel(name: string, values: readonly string[]): string | null {
  const response = new HttpResponse(200)
  try {
    response.delete(name)
    for (const value of values) response.append(name, value)
    return null
  } catch (error) {
    const { message } = error as Error
    return message.includes('belongs to the kernel')
      ? `${name.toLowerCase()} belongs to the connection, and only the kernel sends it`
      : message
  }
}
