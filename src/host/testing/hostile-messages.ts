/**
 * Messages that strangers or broken clients may send: attacks that once crashed or blocked a host, and findings of the
 * fuzz test.
 */

const framed = (body: string | Buffer) =>
  Buffer.concat([Buffer.from(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)]);
const request = (more: object) => framed(JSON.stringify({ jsonrpc: '2.0', id: 7, ...more }));
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

export const hostileMessages: Record<string, Buffer> = {
  'arrays 30,000 deep': framed(nested('[', ']', 30_000)),
  'objects 5,000 deep': framed(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`),
  'a deep parameter': framed(`{"jsonrpc":"2.0","id":1,"method":"status","params":{"a":${nested('[', ']', 20_000)}}}`),
  'a deep id': framed(`{"jsonrpc":"2.0","id":${nested('[', ']', 20_000)},"method":"hello"}`),
  'a message of 1 GB': Buffer.from('Content-Length: 1073741824\r\n\r\n{"jsonrpc"'),
  'a negative length': Buffer.from('Content-Length: -5\r\n\r\n{"a":1}'),
  'an invalid length': Buffer.from('Content-Length: abc\r\n\r\n{}'),
  'no length': Buffer.from('Content-Type: x\r\n\r\n{}'),
  'two lengths': Buffer.from('Content-Length: 2\r\nContent-Length: 2000000000\r\n\r\n{}'),
  'headers without an end': Buffer.from('a'.repeat(70_000)),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'random bytes': Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
  'truncated JSON': framed('{"jsonrpc":"2.0","id":1,"meth'),
  'no UTF-8': framed(
    Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
  ),
  'a batch': framed('[{"jsonrpc":"2.0","id":1,"method":"hello"}]'),
  null: framed('null'),
  'a number': framed('7'),
  'an empty message': framed(''),
  'another version': framed('{"jsonrpc":"1.0","id":1,"method":"hello"}'),
  'a response': request({ result: {} }),
  'a response with an error': request({ error: { code: 1, message: 'x' } }),
  'an unknown method': request({ method: 7 }),
  'a method of every object': request({ method: 'constructor' }),
  'a method of a prototype': request({ method: '__proto__' }),
  'a key of a prototype': framed('{"jsonrpc":"2.0","id":1,"method":"status","__proto__":{"a":1}}'),
  'parameters in a list': request({ method: 'hello', params: [1, 2] }),
  'parameters that are a text': request({ method: 'hello', params: 'x' }),
  'a hello without parameters': request({ method: 'hello' }),
  'a hello with an object for its token': request({
    method: 'hello',
    params: { protocol: 1, token: {}, client: { name: 'x', version: '1', pid: 1 } },
  }),
  'progress for a token of every object': framed(
    '{"jsonrpc":"2.0","method":"$/progress","params":{"token":"__proto__","value":1}}',
  ),
  'cancelling an unknown request': framed('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":99}}'),
  'cancelling without parameters': framed('{"jsonrpc":"2.0","method":"$/cancelRequest"}'),
  'cancelling null': framed('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":null}}'),
  tracing: framed('{"jsonrpc":"2.0","method":"$/setTrace","params":{"value":"verbose"}}'),
};

export { framed };
