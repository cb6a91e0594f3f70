/** The HTTP status that a foreign error, or anything else that was thrown, has where Fastify looks for one. */
export function statusOf (thrown: unknown): number | undefined {
  const status = Number(read(thrown, 'statusCode') ?? read(thrown, 'status'))
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}

function read (thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined
}
