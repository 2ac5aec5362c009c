// Folders that others may write to, or that are another user's, are refused before anything is kept in them.
import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chownSync } from 'node:fs';
import { expect, test } from 'vitest';
import { folderComplaint, ownFolders } from '../../src/io/own-folder.ts';

const folder = () => mkdtemp(join(tmpdir(), 'sg-own-'));

test('the user’s own folder, and one that is not there yet', async () => {
  const place = await folder();
  expect(folderComplaint('artifacts', place)).toBeNull();
  expect(folderComplaint('artifacts', join(place, 'later'))).toBeNull();
  await chmod(place, 0o755);
  expect(folderComplaint('artifacts', place)).toBeNull();
});

test.each([0o777, 0o775, 0o757, 0o1777, 0o722])('mode %o: others may write', async (mode) => {
  const place = await folder();
  await chmod(place, mode);
  expect(folderComplaint('permit-store', place)).toBe(
    `permit-store: ${place} may be written to by others; run: chmod -R go-w ${place}`,
  );
  // Through a link it is the same folder.
  const link = join(await folder(), 'link');
  await symlink(place, link);
  expect(folderComplaint('permit-store', link)).toContain('may be written to by others');
});

test.skipIf(process.getuid?.() !== 0)(
  'the folder of another user (only root can give one away)',
  async () => {
    const place = await folder();
    chownSync(place, 65_534, 65_534);
    expect(folderComplaint('artifacts', place)).toBe(
      `artifacts: ${place} belongs to another user (uid 65534); run: chown -R 0 ${place}`,
    );
  },
);

test('a file is no folder; all complaints come at once', async () => {
  const place = await folder();
  await writeFile(join(place, 'file'), '');
  await mkdir(join(place, 'open'), { mode: 0o777 });
  await chmod(join(place, 'open'), 0o777);
  expect(() => ownFolders({ artifacts: join(place, 'file'), 'permit-store': join(place, 'open') })).toThrow(
    /^artifacts: .*file is no folder.*\npermit-store: .*open may be written to by others/u,
  );
});
