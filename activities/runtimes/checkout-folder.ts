// Where the checkout of a commit lies, below the root of its service.
import { join } from 'node:path';

export const checkoutFolder = (root: string, commit: string): string => join(root, 'releases', commit);
