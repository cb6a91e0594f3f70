/** Relay nodes send a sign of life every 5 s. */
export const ROOM = {
  roomId: new URLSearchParams(window.location.search).get('room') ?? 'example-room', idleTimeout: 12_000
}

/** Stands for the login of your site. A page whose visitors have the cookie `ccmessaging-token` needs no `token`. */
export async function logIn (userId) {
  const response = await fetch('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId })
  })
  return (await response.json()).token
}
