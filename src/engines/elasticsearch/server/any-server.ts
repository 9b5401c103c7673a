import type { Client, ClientOptions } from '@elastic/elasticsearch';

/**
 * The official client, made to speak with every server that has the same interface: it does not ask for Elastic's product
 * header, and names plain JSON, which all of them take, instead of the media types of its own major version.
 */
export async function openClient(options: ClientOptions): Promise<Client> {
  const { Client: OfficialClient, SniffingTransport } = await import('@elastic/elasticsearch');
  class AnyServerTransport extends SniffingTransport {
    constructor(given: ConstructorParameters<typeof SniffingTransport>[0]) {
      const plain = {
        jsonContentType: 'application/json',
        ndjsonContentType: 'application/x-ndjson',
        accept: 'application/json,text/plain',
      };
      // Null is how the client itself says that it checks no product.
      super({ ...given, productCheck: null as unknown as string, vendoredHeaders: plain });
    }
  }
  return new OfficialClient({ ...options, Transport: AnyServerTransport });
}
