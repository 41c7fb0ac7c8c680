import express from 'express'
import { ready, root } from './args.js'

const app = express()
app.get('/api/hello/:name', (request, response) => {
  response.json({ hello: request.params.name })
})
app.post('/bench/orders', express.json(), (request, response) => {
  response.json({ received: request.body.items.length })
})
app.use(express.static(root))
const server = app.listen(0, '127.0.0.1', () => ready('express', server.address().port))
