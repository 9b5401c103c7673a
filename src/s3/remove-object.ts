import { failureOf } from './failure.ts';
import { objectAt, type Store } from './store.ts';

/** Removes an object; one that is not there is not an error. */
export async function removeObject(store: Store, key: string): Promise<void> {
  await store.request({
    verb: 'remove',
    object: key,
    send: async (client, options) => {
      try {
        await client.deleteObject(objectAt(store, key), options);
      } catch (error) {
        if (failureOf(error).code !== 'NoSuchKey') throw error;
      }
    },
  });
}
