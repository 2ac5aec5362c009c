// The constraints that a range of migrations adds, read from its SQL, each with the condition of a row that
// violates it.
import * as conditions from './constraint-conditions.ts';
import { type Name, parts, read, type Reader } from './sql-reader.ts';
import { statementsOf, type Token } from './sql-tokens.ts';

export type ConstraintKind = 'check' | 'unique' | 'primary key' | 'foreign key' | 'not null' | 'unique index';

export interface AddedConstraint {
  /** As SQL writes it. */
  readonly table: string;
  readonly constraint: string;
  readonly kind: ConstraintKind;
  /**
   * `select count(*) from <from> where <condition>` counts the violating rows; the table has no alias in it.
   */
  readonly from: string;
  readonly condition: string;
  /**
   * The range may have changed these rows before it adds the constraint: what violates now may no longer do
   * so then.
   */
  readonly rowsChangeFirst: boolean;
}

export interface NotForecast {
  readonly what: string;
  readonly why: string;
}

export interface AddedConstraints {
  readonly constraints: readonly AddedConstraint[];
  readonly notForecast: readonly NotForecast[];
}

interface Range {
  readonly text: string;
  readonly constraints: AddedConstraint[];
  readonly notForecast: NotForecast[];
  /** NOT VALID: no row is asked until it is validated. */
  readonly waiting: Map<string, Definition>;
  readonly changed: Set<string>;
  anythingChanged: boolean;
  ownPath: boolean;
}

interface Definition {
  readonly place: conditions.Place;
  readonly constraint: string;
  readonly kind: ConstraintKind;
  readonly condition: string | undefined;
  readonly referenced?: Name;
}

/**
 * Reads the SQL of the pending range, in the order in which it runs; what cannot be read is left out and
 * named.
 */
export function addedConstraints(text: string): AddedConstraints {
  const range: Range = {
    text,
    constraints: [],
    notForecast: [],
    waiting: new Map(),
    changed: new Set(),
    anythingChanged: false,
    ownPath: false,
  };
  for (const tokens of statementsOf(text)) readStatement(range, tokens);
  return { constraints: range.constraints, notForecast: range.notForecast };
}

function readStatement(range: Range, tokens: readonly Token[]): void {
  const reader = read(range.text, tokens);
  if (tokens.some((token) => token.kind === 'broken'))
    leaveOut(range, 'the end of the SQL', 'it has an unclosed quote or comment');
  else if (reader.words('alter', 'table')) alterTable(range, reader);
  else if (reader.words('create', 'unique', 'index')) createIndex(range, reader);
  else if (reader.words('alter', 'domain')) {
    const domain = reader.name();
    if (reader.words('add') || reader.words('set', 'not', 'null'))
      leaveOut(range, `the domain ${domain?.sql}`, 'it belongs to no table');
  } else noteChange(range, tokens, reader);
}

function alterTable(range: Range, reader: Reader): void {
  reader.words('if', 'exists');
  const only = reader.words('only');
  const table = reader.name();
  if (!table) return;
  if (reader.rest()[0]?.value === '*') reader.skip();
  for (const action of parts(reader.rest())) readAction(range, { table, only }, read(range.text, action));
}

function readAction(range: Range, place: conditions.Place, reader: Reader): void {
  if (reader.words('add')) add(range, place, reader);
  else if (reader.words('validate', 'constraint')) validate(range, place, reader.name());
  else if (reader.words('rename') || reader.words('set', 'schema')) range.anythingChanged = true;
  else if (reader.words('drop')) {
    if (!reader.words('constraint')) range.changed.add(place.table.key);
  } else if (reader.words('alter') && !reader.words('constraint')) alterColumn(range, place, reader);
}

function alterColumn(range: Range, place: conditions.Place, reader: Reader): void {
  reader.words('column');
  const column = reader.name();
  if (!column) return;
  if (reader.words('set', 'not', 'null'))
    settle(range, {
      place,
      constraint: `${column.plain} not null`,
      kind: 'not null',
      condition: `${column.sql} is null`,
    });
  else if (reader.words('type') || reader.words('set', 'data', 'type')) range.changed.add(place.table.key);
}

function add(range: Range, place: conditions.Place, reader: Reader): void {
  const name = reader.words('constraint') ? reader.name() : undefined;
  const definition = define(range.text, place, reader, (kind) => name?.plain ?? `an unnamed ${kind}`);
  if (!definition) {
    if (name || reader.words('exclude'))
      return leaveOut(
        range,
        `${name?.plain ?? 'an exclusion'} on ${place.table.sql}`,
        'it is of another kind',
      );
    return addColumn(range, place, reader);
  }
  const rest = reader.restWords();
  if (rest.includes('not enforced ')) return;
  if (rest.includes('not valid ')) range.waiting.set(waitingKey(place, definition.constraint), definition);
  else settle(range, definition);
}

function define(
  text: string,
  place: conditions.Place,
  reader: Reader,
  nameOf: (kind: ConstraintKind) => string,
): Definition | undefined {
  const as = (kind: ConstraintKind, condition: string | undefined): Definition => ({
    place,
    constraint: nameOf(kind),
    kind,
    condition,
  });
  if (reader.words('check')) return as('check', conditions.checkCondition(reader));
  if (reader.words('unique')) return as('unique', conditions.uniqueCondition(text, place, reader));
  if (reader.words('primary', 'key'))
    return as('primary key', conditions.primaryKeyCondition(text, place, reader));
  if (reader.words('not', 'null')) return as('not null', conditions.notNullCondition(reader));
  if (!reader.words('foreign', 'key')) return undefined;
  const reference = conditions.foreignKeyCondition(text, place, reader);
  return {
    ...as('foreign key', reference?.condition),
    ...(reference && { referenced: reference.referenced }),
  };
}

/** No row has the new column yet, so only what every row would be given could violate. */
function addColumn(range: Range, { table }: conditions.Place, reader: Reader): void {
  reader.words('column');
  reader.words('if', 'not', 'exists');
  const column = reader.name();
  const words = ` ${reader.restWords()}`;
  const bare = words.includes(' not null ') && !/ (?:default|generated|(?:big|small)?serial) /u.test(words);
  if (column && (bare || / (?:unique|primary key|references|check|exclude) /u.test(words)))
    leaveOut(
      range,
      `the column ${column.plain} on ${table.sql}`,
      'it comes with a constraint, and does not exist yet',
    );
}

function createIndex(range: Range, reader: Reader): void {
  reader.words('concurrently');
  reader.words('if', 'not', 'exists');
  const name = reader.words('on') ? undefined : reader.name();
  if (name) reader.words('on');
  const only = reader.words('only');
  const table = reader.name();
  if (!table) return leaveOut(range, name?.plain ?? 'a unique index', 'it cannot be read');
  const place = { table, only };
  settle(range, {
    place,
    constraint: name?.plain ?? 'an unnamed unique index',
    kind: 'unique index',
    condition: conditions.indexCondition(range.text, place, reader),
  });
}

const waitingKey = ({ table }: conditions.Place, constraint: string): string =>
  JSON.stringify([table.key, constraint]);

function validate(range: Range, place: conditions.Place, name: Name | undefined): void {
  const definition = range.waiting.get(waitingKey(place, name?.plain ?? ''));
  if (definition) settle(range, definition);
  else
    leaveOut(range, `${name?.plain} on ${place.table.sql}`, 'it is validated here, but was not added here');
}

function settle(range: Range, { place, constraint, kind, condition, referenced }: Definition): void {
  const tables = [place.table, ...(referenced ? [referenced] : [])];
  const table = place.table.sql;
  if (condition === undefined) return leaveOut(range, `${constraint} on ${table}`, 'it cannot be read');
  if (range.ownPath && tables.some(({ qualified }) => !qualified))
    return leaveOut(range, `${constraint} on ${table}`, 'the migrations set a search_path of their own');
  const rowsChangeFirst = range.anythingChanged || tables.some(({ key }) => range.changed.has(key));
  range.constraints.push({
    table,
    constraint,
    kind,
    from: conditions.fromOf(place),
    condition,
    rowsChangeFirst,
  });
}

/**
 * Statements of which the text does not tell whose rows they change, or which are known to reach other
 * tables.
 */
const FAR_REACHING = ['delete', 'truncate', 'with', 'do', 'call', 'select', 'execute'];
const ADDS_IN_TEXT = /add\s+constraint|set\s+not\s+null|unique\s+index/iu;

function noteChange(range: Range, tokens: readonly Token[], reader: Reader): void {
  const [first] = tokens;
  if (first?.kind === 'meta' && /^\\(?:i|ir|include|include_relative|gexec)\b/u.test(first.value))
    leaveOut(range, `what ${first.value} runs`, 'it cannot be read');
  if (reader.words('do') && tokens.some(({ kind, value }) => kind === 'text' && ADDS_IN_TEXT.test(value)))
    leaveOut(range, 'a constraint in a DO block', 'it cannot be read');
  if (
    ['set', 'select'].includes(first?.value ?? '') &&
    tokens.some(({ value }) => /search_path/iu.test(value))
  )
    range.ownPath = true;
  if (first?.kind === 'meta' || FAR_REACHING.includes(first?.value ?? '')) range.anythingChanged = true;
  if (reader.words('drop') && !reader.words('index') && !reader.words('view')) range.anythingChanged = true;
  if (!['update', 'insert', 'merge', 'copy'].some((word) => reader.words(word))) return;
  reader.words('into');
  reader.words('only');
  range.changed.add(reader.name()?.key ?? '');
}

const leaveOut = (range: Range, what: string, why: string): void =>
  void range.notForecast.push({ what, why });
