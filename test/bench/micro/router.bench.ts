import { test } from 'vitest'
import { RouteTable } from '../../../plugins/router/table.ts'
import { requestOf } from '../../support/in-memory.ts'

const answer = () => 'x'
const table = (count: number) =>
  new RouteTable(
    null,
    Object.fromEntries(
      Array.from({ length: count }, (_, place) => [
        [`GET /fixed/${place}`, answer],
        [`GET /users/:id/things${place}/:thing`, answer],
      ]).flat() as [string, unknown][],
    ),
  )

test('finding a route', async ({ bench }) => {
  const [few, many] = [table(10), table(1_000)]
  const find = (routes: RouteTable, target: string) => {
    const request = requestOf({ target })
    return () => void routes.find(request)
  }
  await bench.compare(
    bench('a fixed path of 20 routes', find(few, '/fixed/5')),
    bench('two parameters, 20 routes', find(few, '/users/17/things5/18')),
    bench('a fixed path of 2,000 routes', find(many, '/fixed/500')),
    bench('two parameters, 2,000 routes', find(many, '/users/17/things500/18')),
    bench('a parameter with escapes', find(few, '/users/caf%C3%A9/things5/18')),
    bench('none', find(few, '/nothing/like/that')),
  )
})
