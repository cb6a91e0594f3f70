/** For a balancer: whether the plugin can answer, new rooms or at least known ones. */
export default async function readyz (app) {
  app.get('/readyz', async (_request, reply) => {
    const { ready, answers } = app.cobrowse.status()
    return reply.code(ready ? 200 : 503).send({ answers })
  })
}
