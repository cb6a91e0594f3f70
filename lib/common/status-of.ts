/** The HTTP status of any thrown value, read from the properties that Fastify reads. */
export function statusOf (thrown: unknown): number | undefined {
  const status = Number(read(thrown, 'statusCode') ?? read(thrown, 'status'))
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}

function read (thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined
}
