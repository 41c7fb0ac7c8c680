import { defineSite } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { fail, hello } from './api/hello.ts'

/** The site that `npm start` shows: pages, an API, and error pages of its own. */
export default defineSite({
  name: 'welcome',
  dir: import.meta.dirname,
  plugins: [
    errorPages({ root: './errors' }),
    router('/api', { 'GET /hello/:name': hello, 'GET /fail': fail }),
    staticFiles({ root: './public' }),
  ],
})
