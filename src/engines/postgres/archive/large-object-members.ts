import { cutArchive, damagedArchive } from './errors.ts';

/** Holds the large objects that stand as files in a dump against the lists that name them. */
export interface LargeObjectMembers {
  /** A file with the bytes of one; false for any other file. */
  begin(name: string): boolean;
  /** Takes a piece of a list; `endList` after its last one. */
  list(chunk: Buffer): void;
  endList(): void;
  /** How many there are. Throws `integrity` unless every one has its file and its line. */
  end(): number;
}

const [LISTED, SEEN] = [1, 2];
const LINE = /^(\d+) (blob_\1\.dat)$/;

/** Files and lists may come in any order. */
export function createLargeObjectMembers(): LargeObjectMembers {
  const states = new Map<number, number>();
  let rest = '';

  const add = (oid: number, state: number): void => {
    const known = states.get(oid) ?? 0;
    if ((known & state) !== 0) throw damagedArchive(`large object ${oid} stands twice in it`);
    states.set(oid, known | state);
  };

  return {
    begin(name) {
      const oid = /^blob_(\d+)\.dat$/.exec(name)?.[1];
      if (oid !== undefined) add(Number(oid), SEEN);
      return oid !== undefined;
    },
    list(chunk) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const oid = LINE.exec(line)?.[1];
        if (oid === undefined)
          throw damagedArchive('a list of its large objects has a line that pg_dump does not write');
        add(Number(oid), LISTED);
      }
    },
    endList() {
      if (rest !== '') throw cutArchive('in a list of its large objects');
    },
    end() {
      for (const [oid, state] of states) {
        if (state === LISTED) throw damagedArchive(`large object ${oid} is missing`);
        if (state === SEEN) throw damagedArchive(`large object ${oid} is in none of its lists`);
      }
      return states.size;
    },
  };
}
