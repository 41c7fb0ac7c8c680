import { defineConfig } from 'rawhttp'
import { route, router } from 'rawhttp/plugins/router'
import * as v from 'valibot'

const many = { limits: { bodyBytes: '32mb' } } as const

/** An API that reads bodies in every way, as a user would write it: `bad-bodies.test.ts` starts it. */
export default defineConfig({
  listen: [{ port: 0 }],
  plugins: [
    router({
      'POST /json': async ({ body }) => ({ got: await body.json(), polluted: 'x' in {} }),
      'POST /checked': route({ body: v.object({ name: v.string() }) }, ({ body }) => body),
      'POST /text': async ({ body }) => ({ text: await body.text() }),
      'POST /form': async ({ body }) => ({ fields: [...(await body.form()).keys()].length }),
      'POST /large-form': route(many, async ({ body }) => ({
        fields: [...(await body.form()).keys()].length,
      })),
      'POST /parts': route(many, async ({ body }) => {
        let count = 0
        for await (const part of body.parts()) count += (await part.bytes()).length
        return { bytes: count }
      }),
    }),
  ],
})
