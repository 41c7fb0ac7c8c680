/** Greets who is named in the path. */
export function hello({ params }: { readonly params: { readonly name: string } }): {
  readonly hello: string
} {
  return { hello: params.name }
}

/** Fails on purpose, so that the page for errors of the server can be seen. */
export function fail(): never {
  throw new Error('this route fails on purpose')
}
