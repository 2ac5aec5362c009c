// flows: the application's own paths over HTTP, as a user walks them.
import { path } from '../forms.ts';
import { defineStep, line } from './step.ts';

export interface FlowsSpec {
  readonly file: string;
}

export const flows = defineStep({
  key: 'flows',
  form: path.describe('File of scripted requests'),
  toSpec: (file) => file,
  kinds: { flows: line<FlowsSpec>()({ changes: [], programs: [] }) },
  lines: (file, name) => [{ kind: 'flows', name, spec: { file } }],
  judges: true,
  asksOverHttp: () => true,
  files: (file) => [file],
  rules: [],
});
